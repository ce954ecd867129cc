/** Makes a title part of a file's name: `MariaDB or MySQL` becomes `mariadb-or-mysql`. */
export function slug(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9.]+/g, "-");
}
