import { spawn } from 'node:child_process';

/**
 * Ends what this process started when this process itself is killed without a chance to clean up (SIGKILL, a crash).
 * A small shell waits on a pipe; the kernel closes the pipe with us, and the shell then ends what is on its list.
 */
export interface OrphanGuard {
  /** A process group that must not outlive us. */
  watchGroup(pgid: number): void;
  unwatchGroup(pgid: number): void;
  /** A folder that must not outlive us. Deleted only after the groups have been ended. */
  watchFolder(path: string): void;
  unwatchFolder(path: string): void;
  /** Forgets everything and ends the guard itself. */
  close(): Promise<void>;
}

// Lists are newline-separated, since folders may hold spaces. Ctrl-C reaches a whole foreground group, and the guard
// must not die of it before the processes that it guards.
const SCRIPT = `
trap '' INT HUP TERM QUIT
groups=''
folders=''
newline='
'
without() { printf '%s\\n' "$1" | grep -vxF -- "$2"; }
while IFS= read -r line; do
  what=\${line%% *}
  name=\${line#* }
  case $what in
    +group) groups="$groups$name$newline" ;;
    -group) groups="$(without "$groups" "$name")$newline" ;;
    +folder) folders="$folders$name$newline" ;;
    -folder) folders="$(without "$folders" "$name")$newline" ;;
    close) exit 0 ;;
  esac
done
each() { printf '%s\\n' "$1" | while IFS= read -r item; do [ -n "$item" ] && $2 "$item"; done; }
finish() { kill -TERM "-$1" 2>/dev/null; }
force() { kill -KILL "-$1" 2>/dev/null; }
erase() { rm -rf -- "$1"; }
each "$groups" finish
sleep 2
each "$groups" force
each "$folders" erase
`;

/** Starts the guard: one `sh`, in a session of its own. */
export function startOrphanGuard(): OrphanGuard {
  const child = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // The guard is a safety net: a write to one that was itself killed must not bring the rehearsal down.
  child.stdin.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?: () => void }).unref?.();
  const tell = (line: string): void => {
    if (child.stdin.writable) child.stdin.write(`${line}\n`);
  };
  return {
    watchGroup: (pgid) => tell(`+group ${pgid}`),
    unwatchGroup: (pgid) => tell(`-group ${pgid}`),
    watchFolder: (path) => tell(`+folder ${path}`),
    unwatchFolder: (path) => tell(`-folder ${path}`),
    close: async () => {
      if (child.stdin.writable) child.stdin.end('close\n');
      child.ref();
      await ended;
    },
  };
}
