// Names of images, as the command line has them and as the values of the chart want them. Pure.

export interface Image {
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

/** `registry:5000/name:tag`, `name@sha256:…`. Throws a RangeError for one that names no version. */
export function parseImage(text: string): Image {
  const match =
    /^(?<name>[^@\s]+?)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/.exec(text)
  const { name = '', tag = '', digest = '' } = match?.groups ?? {}
  if (name === '' || (tag === '' && digest === '')) throw new RangeError(`${text}: NAME:TAG is wanted`)
  return { repository: name, tag, digest }
}

export function imageText({ repository, tag, digest }: Image): string {
  return `${repository}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`
}
