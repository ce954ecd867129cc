/** A title as a part of a file's name: `MariaDB or MySQL` is `mariadb-or-mysql`. */
export function slug(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9.]+/g, "-");
}
