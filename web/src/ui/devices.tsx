/** Trying out microphone and camera before anybody is called. */
import { useCallback } from "preact/hooks";
import type { Desk } from "../desk";
import { nameOf, type Preview } from "../preview";
import { words } from "../words";
import { useLevel } from "./level";
import { Video } from "./views";

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  readonly devices: readonly MediaDeviceInfo[];
  readonly used: string | undefined;
  readonly onChoose: (deviceId: string) => void;
}

function Choice({ label, name, devices, used, onChoose }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        data-testid={name}
        value={used ?? ""}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {nameOf(device, index)}
          </option>
        ))}
      </select>
    </label>
  );
}

function TryOut({ desk, preview }: { desk: Desk; preview: Preview }) {
  const meter = useLevel(useCallback(() => preview.level, [preview]));
  const { camera, devices } = preview;
  return (
    <>
      <Choice
        label={words.devices.microphone}
        name="choose-mic"
        devices={preview.mics}
        used={preview.used("mic")}
        onChoose={(deviceId) => desk.choose("mic", deviceId)}
      />
      <div class="meter" data-testid="mic-level" data-level="0" ref={meter}>
        <span class="unseen">{words.devices.level}</span>
        <i />
      </div>
      <label class="check">
        <input
          type="checkbox"
          data-testid="preview-cam"
          checked={devices.cam !== "off"}
          onChange={(event) => preview.showCamera(event.currentTarget.checked)}
        />
        <span>{words.devices.showCamera}</span>
      </label>
      {camera && (
        <>
          <Choice
            label={words.devices.camera}
            name="choose-cam"
            devices={preview.cams}
            used={preview.used("cam")}
            onChoose={(deviceId) => desk.choose("cam", deviceId)}
          />
          <Video track={camera} name="preview-view" label={words.devices.preview} />
        </>
      )}
    </>
  );
}

export function Devices({ desk }: { desk: Desk }) {
  const { preview } = desk;
  return (
    <details
      class="more"
      data-testid="devices"
      onToggle={({ currentTarget: { open } }) => {
        if (open && !preview) desk.startPreview();
        if (!open && preview) desk.stopPreview();
      }}
    >
      <summary>{words.devices.title}</summary>
      {preview && <TryOut desk={desk} preview={preview} />}
    </details>
  );
}
