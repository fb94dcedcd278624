import { readFileSync } from 'node:fs';
import { loadClientConfigProfile, toClientOptions, type ClientConfigProfile } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { ConfiguredSecret } from './secret-files.ts';

/** How the worker reaches Temporal: as Temporal's own client configuration says. */
export interface TemporalConnection {
  /** `HOST:PORT`. */
  readonly address: string;
  readonly namespace: string;
  readonly tls: NonNullable<NativeConnectionOptions['tls']>;
  readonly apiKey: ConfiguredSecret | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

const defaults = { address: '127.0.0.1:7233', namespace: 'default' };
const hostAndPort = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+))(?::\d+)?$/i;
const yesOrNo = ['1', 'true', '0', 'false'];

/**
 * Temporal's client configuration (a profile of its TOML file, under its `TEMPORAL_…` variables), which server and CLI
 * take too. Nothing there is required: without any it is the server of this machine.
 *
 * @param apiKeyFile from which `TEMPORAL_API_KEY` was read, if it was
 * @param report takes a sentence for each mistake, beginning with where it is and without any value
 */
export function readTemporalConnection(
  variables: NodeJS.ProcessEnv,
  apiKeyFile: string | undefined,
  report: (problem: string) => void,
): TemporalConnection | undefined {
  if (!checkSwitches(variables, report)) return undefined;
  const profile = loadProfile(variables, report);
  if (profile === undefined || !isComplete(profile, report)) return undefined;
  try {
    const { connectionOptions: options, namespace } = toClientOptions(profile);
    const { tls } = options;
    return {
      address: options.address ?? defaults.address,
      namespace: namespace ?? defaults.namespace,
      tls: tls ?? false,
      apiKey: profile.apiKey === undefined ? undefined : { value: profile.apiKey, file: apiKeyFile },
      metadata: profile.grpcMeta ?? {},
    };
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    report(`The TLS file ${path ?? ''} cannot be read (${code ?? 'not a file'}); expected a PEM file`);
    return undefined;
  }
}

/** Whether nobody on the way can listen or take part, and the server knows who asks. */
export function isProtected({ address, tls, apiKey, metadata }: TemporalConnection): boolean {
  if (isLoopback(address)) return true;
  const certificate = typeof tls === 'object' && tls.clientCertPair != null;
  return tls !== false && (certificate || apiKey !== undefined || authorizationOf(metadata) !== undefined);
}

/** What of a connection must not be said. */
export function secretsOf({ tls, apiKey, metadata }: TemporalConnection): string[] {
  const key = typeof tls === 'object' ? tls.clientCertPair?.key : undefined;
  const header = authorizationOf(metadata);
  return [
    ...(apiKey === undefined ? [] : [apiKey.value]),
    ...(header === undefined ? [] : [header.replace(/^\w+ +/, '')]),
    ...(key == null ? [] : [Buffer.from(key).toString().trim()]),
  ];
}

function isLoopback(address: string): boolean {
  const [, v6, name] = hostAndPort.exec(address) ?? [];
  return v6 === '::1' || name === 'localhost' || /^127(\.\d{1,3}){3}$/.test(name ?? '');
}

function authorizationOf(metadata: TemporalConnection['metadata']): string | undefined {
  return Object.entries(metadata).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
}

/** Anything but a yes would turn TLS off, and what is asked for by the last one is not done at all [source: 1.24.0]. */
function checkSwitches(variables: NodeJS.ProcessEnv, report: (problem: string) => void): boolean {
  const tls = variables['TEMPORAL_TLS'];
  const isWrong = tls !== undefined && !yesOrNo.includes(tls);
  if (isWrong) report(`TEMPORAL_TLS is none of ${yesOrNo.join(', ')}`);
  const unchecked = variables['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'] !== undefined;
  if (unchecked) {
    report(
      'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is set, and the worker always verifies the server; take it away, and name its CA in TEMPORAL_TLS_SERVER_CA_CERT_PATH',
    );
  }
  return !isWrong && !unchecked;
}

function loadProfile(variables: NodeJS.ProcessEnv, report: (problem: string) => void): ClientConfigProfile | undefined {
  const { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: name } = variables;
  const environment = Object.fromEntries(
    Object.entries(variables).flatMap(([key, value]) => (value ? [[key, value]] : [])),
  );
  const where = file === undefined ? "Temporal's configuration file" : 'TEMPORAL_CONFIG_FILE';
  try {
    // The package takes a file that is named and missing for none [source: 1.24.0]: that would be another server.
    const text = file === undefined ? undefined : readFileSync(file, 'utf8');
    if (text?.trim() === '') {
      if (name !== undefined) report(`TEMPORAL_PROFILE names ${name}, and ${where} is empty`);
      return loadClientConfigProfile({ disableFile: true, overrideEnvVars: environment });
    }
    return loadClientConfigProfile({
      ...(text === undefined ? {} : { configSource: { data: text }, configFileStrict: true }),
      overrideEnvVars: environment,
    });
  } catch (error) {
    report(profileProblem(error as NodeJS.ErrnoException, where));
    return undefined;
  }
}

/** A parser's message shows the lines around a mistake, and an API key may stand there. */
function profileProblem(error: NodeJS.ErrnoException & { line?: number }, where: string): string {
  const { code, line, message } = error;
  if (code !== undefined) return `${where} cannot be read (${code}); expected the path of a TOML file with profiles`;
  if (line !== undefined) return `${where} is not TOML: see its line ${line}`;
  if (error instanceof TypeError) return `${where} holds no profile; expected a table [profile.default]`;
  const isOfProfile = message.startsWith('Profile ');
  return `${isOfProfile ? 'TEMPORAL_PROFILE' : where} is wrong: ${message}`;
}

function isComplete({ address, tls }: ClientConfigProfile, report: (problem: string) => void): boolean {
  const problems: string[] = [];
  if (address !== undefined && !hostAndPort.test(address)) problems.push('TEMPORAL_ADDRESS is not HOST:PORT');
  // Of the two, one alone is left out without a word [source: 1.24.0].
  if ((tls?.clientCert === undefined) !== (tls?.clientKey === undefined)) {
    problems.push(
      'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH belong together, and one of them is missing',
    );
  }
  problems.forEach(report);
  return problems.length === 0;
}
