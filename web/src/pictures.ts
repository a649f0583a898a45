/** Pictures by button, by drop and by paste, and which of them are worth sending. */
import type { PictureLimits } from "./protocol";
import { words } from "./words";

/** The sentence that refuses a file, or null when it may be sent. */
export function refusal(
  file: { readonly name: string; readonly type: string; readonly size: number },
  limits: PictureLimits,
): string | null {
  if (!limits.types.includes(file.type)) return words.picture.wrongType(file.name, limits.types);
  if (file.size === 0) return words.picture.empty(file.name);
  if (file.size > limits.max_bytes) {
    return words.picture.tooLarge(file.name, file.size, limits.max_bytes);
  }
  return null;
}

function files(list: FileList | undefined | null): File[] {
  return list ? [...list] : [];
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** The files chosen with an input, which may then choose the same ones again. */
export function chosen(input: HTMLInputElement): File[] {
  const list = files(input.files);
  // The same file chosen twice is two pictures, but without this no second change event.
  input.value = "";
  return list;
}

/** Calls `onFiles` for files that are pasted, or dropped anywhere on the page. */
export function collect(onFiles: (files: File[]) => void): void {
  const onPaste = (event: ClipboardEvent) => {
    const pasted = files(event.clipboardData?.files);
    if (pasted.length === 0) return;
    event.preventDefault();
    onFiles(pasted);
  };
  const onDragOver = (event: DragEvent) => {
    if (!carriesFiles(event)) return;
    // Without this the browser would leave the page to open the file.
    event.preventDefault();
    document.body.dataset["dragging"] = "true";
  };
  const onDragLeave = (event: DragEvent) => {
    if (event.relatedTarget === null) delete document.body.dataset["dragging"];
  };
  const onDrop = (event: DragEvent) => {
    delete document.body.dataset["dragging"];
    if (!carriesFiles(event)) return;
    event.preventDefault();
    onFiles(files(event.dataTransfer?.files));
  };
  document.addEventListener("paste", onPaste);
  document.addEventListener("dragover", onDragOver);
  document.addEventListener("dragleave", onDragLeave);
  document.addEventListener("drop", onDrop);
}
