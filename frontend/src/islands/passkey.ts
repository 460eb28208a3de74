// Makes a passkey, or asks for one (Web Authentication): the options come with the page, and what the device answers goes
// back in the form's hidden field. Bytes travel as base64url, as the server's library writes and reads them; older browsers
// have no functions of their own for that.
type Descriptor = { id: string; type: "public-key"; transports?: AuthenticatorTransport[] };
type Options = {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  excludeCredentials?: Descriptor[];
  allowCredentials?: Descriptor[];
};

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (all: Descriptor[] | undefined): PublicKeyCredentialDescriptor[] =>
  (all ?? []).map((d) => ({ ...d, id: bytes(d.id) }));

async function answer(does: string, given: Options): Promise<Record<string, unknown>> {
  const options = { ...given, challenge: bytes(given.challenge) } as unknown;
  const made = (
    does === "create"
      ? await navigator.credentials.create({
          publicKey: {
            ...(options as PublicKeyCredentialCreationOptions),
            user: { ...given.user, id: bytes(given.user?.id ?? "") } as PublicKeyCredentialUserEntity,
            excludeCredentials: known(given.excludeCredentials),
          },
        })
      : await navigator.credentials.get({
          publicKey: { ...(options as PublicKeyCredentialRequestOptions), allowCredentials: known(given.allowCredentials) },
        })
  ) as PublicKeyCredential | null;
  if (!made) throw new Error("no passkey");
  const said = made.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  const response: Record<string, string> = { clientDataJSON: text(said.clientDataJSON) };
  if (does === "create") response.attestationObject = text(said.attestationObject);
  else {
    response.authenticatorData = text(said.authenticatorData);
    response.signature = text(said.signature);
  }
  return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

export default function (element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const go = form.querySelector<HTMLButtonElement>("[data-go]");
  const said = form.querySelector<HTMLElement>("[data-said]");
  const field = form.querySelector<HTMLInputElement>("[name=credential]");
  const options = document.getElementById("passkey-options")?.textContent;
  if (!go || !said || !field || !options || !("credentials" in navigator)) return;
  go.hidden = false;
  form.addEventListener("submit", (event) => {
    if (field.value) return;
    event.preventDefault();
    said.hidden = true;
    void answer(form.dataset.does ?? "", JSON.parse(options) as Options)
      .then((credential) => {
        field.value = JSON.stringify(credential);
        form.submit();
      })
      .catch(() => {
        said.textContent = form.dataset.fails ?? "";
        said.hidden = false;
      });
  });
}
