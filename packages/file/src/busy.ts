import { codeOf, pause } from "cacheme/driver";

/** Milliseconds between attempts. A virus scanner lets go of a new file in some milliseconds. */
const pauses: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 150];

/** The system that {@link whenFree} runs on; a test passes its own. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  wait(milliseconds: number): Promise<unknown>;
}

/**
 * Repeats a step while another program has its file open, which Windows refuses. On other systems
 * such an error does not pass by itself.
 *
 * @param canBeFree answers whether an attempt may still succeed. Default: always
 * @throws the error of the last attempt
 */
export async function whenFree<T>(
  act: () => Promise<T>,
  canBeFree: () => Promise<boolean> = async () => true,
  { platform, wait }: Surroundings = { platform: process.platform, wait: pause },
): Promise<T> {
  for (const milliseconds of pauses) {
    try {
      return await act();
    } catch (error) {
      const isBusy = platform === "win32" && /^(?:EPERM|EBUSY|EACCES)$/.test(codeOf(error));
      if (!isBusy || !(await canBeFree())) throw error;
    }
    await wait(milliseconds);
  }
  return act();
}
