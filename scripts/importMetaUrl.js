/** What `import.meta.url` is in the CommonJS build: the address of the file, whatever signs its path has. */
export const importMetaUrl =
  typeof __filename === 'string'
    ? new URL(`file:${__filename.replace(/[%#?]/g, encodeURIComponent)}`).href
    : 'file:///';
