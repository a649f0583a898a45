/** 页面上的中文。 */
import type { Words } from "../words";
import { formats, megabytes } from "./en";
import server from "./zh.server.json";

const DEVICE = { mic: "麦克风", cam: "摄像头", screen: "屏幕" };
const WHY_OVER = {
  ended: "本页面离开期间对话已结束",
  elsewhere: "对话在另一个页面继续",
  unknown: "Salon 不再认识这次对话",
  unreachable: "无法连接 Salon",
};
const CAN_TYPE = { mic: "你仍然可以打字。", cam: "", screen: "" };

export const zh: Words = {
  youEnded: "你结束了对话。",
  botLeft: "Salon 结束了对话。",
  lineLost: "与 Salon 的连接已断开：请确认服务器正在运行，然后重新连接。",

  serverUnreachable: "无法连接 Salon 服务器：请确认它正在运行，然后重试。",
  serverTooSlow: "Salon 服务器响应太慢，请重试。",
  serverSpeaksOtherwise: "Salon 服务器的回答本页面无法理解。",
  serverRefused: (status) => `Salon 服务器拒绝了请求（状态码 ${status}）。`,
  over: (why) => `对话已结束：${WHY_OVER[why]}。请重新开始。`,
  connectionFailed: "浏览器与 Salon 之间无法建立连接：可能被防火墙或 VPN 阻挡。",
  botSilent: "Salon 没有及时应答，请重试。",

  deviceTrouble: (kind, trouble) => {
    const device = DEVICE[kind];
    const rest = CAN_TYPE[kind];
    switch (trouble) {
      case "refused":
        return `浏览器拒绝了${device}：请在地址栏旁允许本页面使用，然后在这里打开。${rest}`;
      case "missing":
        return `没有找到${device}：请接上一个，然后在这里打开。${rest}`;
      case "busy":
        return `${device}正被其他程序使用：请关闭该程序，然后在这里打开。${rest}`;
      case "unsuitable":
        return `${device}不满足 Salon 的要求。${rest}`;
      case "insecure":
        return `浏览器只允许通过 https 或本机打开的页面使用${device}。${rest}`;
      case "unknown":
        return `无法启动${device}。${rest}`;
    }
  },
  cameraGone: "摄像头不见了：请接上后重新打开。",

  who: { user: "你", bot: "Salon" },
  dismiss: "关闭提示",
  connect: "开始对话",
  connectAgain: "再次对话",

  defaultCaption: "你在这张图片里看到了什么？",
  picture: {
    callFirst: "请先开始对话，再发送图片。",
    notTaken: "这个 Salon 服务器不接收图片。",
    wrongType: (name, types) =>
      `${name} 不是 Salon 能读的图片：请发送 ${formats(types).join("、")}。`,
    empty: (name) => `${name} 是空文件。`,
    tooLarge: (name, bytes, limit) =>
      `${name} 太大：${megabytes(bytes)}，最多可发送 ${megabytes(limit)}。`,
    notSent: (name) => `${name} 没有发出，因为连接已关闭。`,
  },
  pictureState: { sending: "发送中", sent: "已发送", seen: "模型已看到", refused: "未看到" },
  textNotSent: "文字没有发出，因为连接没有打开。",
  keysNotSent: "按键没有发出，因为连接没有打开。",

  line: {
    idle: "未连接",
    connecting: "正在连接…",
    reconnecting: "正在重新连接…",
    ready: "就绪",
    ended: (reason) => `已结束：${reason}`,
    failed: "失败",
  },
  slow: { video: "网络较慢：画面减少。", sound: "网络较慢。" },
  server,
  offline: "离线",
  left: (time) => `剩余 ${time}`,
  spent: (money) => `已花费 ${money}`,

  interrupted: "被打断",
  notHeard: "没有听到",
  sources: "来源",
  aTool: "工具",
  tool: {
    running: (name) => `正在使用 ${name}…`,
    done: (name) => `已使用 ${name}`,
    cancelled: (name) => `已停止使用 ${name}`,
  },

  conversation: "对话",
  hint: "说话、打字，或者展示一张图片。",
  views: "Salon 看到的",
  sees: { camera: "Salon 最后看到的摄像头画面", screenVideo: "Salon 最后看到的屏幕画面" },
  yourCamera: "你的摄像头",
  yourScreen: "你共享的屏幕",

  whom: "你想和谁聊聊？",
  serverKey: "本服务器的密钥",
  finePrint: "浏览器会请求使用麦克风。摄像头在你打开之前一直关闭。",
  devices: {
    title: "麦克风和摄像头",
    microphone: "麦克风",
    camera: "摄像头",
    level: "你的音量",
    preview: "摄像头预览",
    showCamera: "显示摄像头",
    unnamed: (kind, number) => `${kind} ${number}`,
  },
  more: "更多选项",
  answers: { title: "回答方式", voice: "语音加字幕", text: "只用文字" },
  voice: "声音",
  language: "语言",
  usualVoice: "默认声音",
  usualLanguage: (name) => `默认：${name}`,
  way: {
    title: "连接方式",
    webrtc: "直连（WebRTC）",
    websocket: "WebSocket（WebRTC 被阻挡时）",
    daily: "Daily 房间",
  },
  modelKey: {
    may: "你自己的 Gemini API 密钥（可选）",
    must: "你的 Gemini API 密钥",
    note: "只用于这次对话，不会保存，也不会给任何人看。",
  },
  pageLanguage: "页面语言",

  messageLabel: "消息或图片说明",
  messageHint: "打字，或粘贴图片",
  send: "发送",
  sendPicture: "发送图片",
  gets: "Salon 得到什么",
  mic: "麦克风",
  cam: "摄像头",
  screen: "屏幕",
  pushToTalk: "按住说话模式",
  holdToTalk: "按住说话",
  holdHint: "或按住空格键",
  keypad: "拨号键盘",
  key: (key) => `按键 ${key}`,
  end: "结束",
  hearSalon: "点此收听 Salon",
  dropHere: "把图片放在任意位置",

  ways: {
    fallingBack: "这里的 WebRTC 被阻挡：正在改用 WebSocket…",
    notLoaded: "页面的一部分无法加载：请刷新页面后重新连接。",
    dailyNotLoaded: "无法加载 Daily：请选择直连，或在浏览器中允许 c.daily.co。",
    noVideo: "摄像头和屏幕无法通过 WebSocket 发送：请发送图片，或换到 WebRTC 畅通的网络。",
    sessionGone: "这次对话已经结束，或服务器已重启：请重新连接，开始新的对话。",
    tryAgainIn: (what, seconds) => `${what}（请在 ${seconds} 秒后重试）。`,
  },
};
