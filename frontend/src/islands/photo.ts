// A photograph is shown before it is sent, and made small enough for a slow line. The server checks it all the same: what
// cannot be read here goes as it is, and the server says what is wrong with it.
const EDGE = 2560; // pixels, as the server keeps them
const LARGE = 1_500_000; // bytes from which it pays to make it smaller

const load = (source: string): Promise<HTMLImageElement> =>
  new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = source;
  });

/** The picture with its long edge at EDGE, as JPEG; the file itself where it is small or the browser cannot. */
async function smaller(file: File, image: HTMLImageElement): Promise<File> {
  const scale = Math.min(1, EDGE / Math.max(image.naturalWidth, image.naturalHeight));
  if (file.size < LARGE) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  const pen = canvas.getContext("2d");
  if (!pen) return file;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  canvas.width = canvas.height = 0; // an old telephone has little memory
  return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
}

export default function (element: HTMLElement): void {
  const input = element.querySelector<HTMLInputElement>("input[type=file]");
  const preview = element.querySelector<HTMLElement>(".preview");
  const status = element.querySelector<HTMLElement>("[role=status]");
  if (!input || !preview || !status) return;
  element.classList.add("on");
  let address = "";

  const clear = (): void => {
    if (address) URL.revokeObjectURL(address);
    address = "";
    preview.hidden = true;
    preview.textContent = "";
    status.textContent = "";
  };

  const show = async (): Promise<void> => {
    clear();
    const file = input.files?.[0];
    if (!file) return;
    status.textContent = (element.dataset.chosen ?? "").replace("{}", file.name);
    const mine = (address = URL.createObjectURL(file));
    let sent = file;
    try {
      const image = await load(mine);
      if (address !== mine) return; // another one has been chosen meanwhile
      image.alt = preview.dataset.shown ?? "";
      preview.append(image, off());
      preview.hidden = false;
      sent = await smaller(file, image);
      if (sent !== file && address === mine) {
        const list = new DataTransfer();
        list.items.add(sent);
        input.files = list.files;
      }
    } catch {
      sent = file;
    }
    if (address === mine && sent.size > Number(input.dataset.limit)) {
      input.value = "";
      clear();
      status.textContent = (element.dataset.large ?? "").replace("{}", String(Math.round(file.size / 1024 ** 2)));
    }
  };

  const off = (): HTMLButtonElement => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "second";
    button.textContent = preview.dataset.off ?? "";
    button.addEventListener("click", () => {
      input.value = "";
      clear();
      input.focus();
    });
    return button;
  };

  input.addEventListener("change", () => void show());
  if (input.files?.length) void show(); // back from the next page, the browser may still have it
}
