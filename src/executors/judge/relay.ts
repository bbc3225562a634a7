import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/**
 * Stands between an interactive validator and the program's pipes, in the validator's sandbox: passes both directions
 * on and writes down the beginning of what is said. It is the only one that knows when the validator has ended, and
 * says so in a file before anybody can learn of it through a pipe.
 *
 * Arguments: the pipe to the program, the file for the transcript, the file that marks the end, bytes to write down of
 * each direction, then the validator's command. A record of the transcript is a direction, a length and the bytes.
 * Perl, because every Debian and Ubuntu has it (perl-base is essential).
 */
const RELAY = String.raw`
use strict;
$SIG{PIPE} = 'IGNORE';
my ($to, $log, $ended, $most, @command) = @ARGV;
pipe(my $in_read, my $in_write) or exit 125;
pipe(my $out_read, my $out_write) or exit 125;
open(my $notes, '>>', $log) or exit 125;
sub pass {
  my ($mark, $from, $into) = @_;
  my $left = $most;
  my $data;
  while (1) {
    my $got = sysread($from, $data, 65536);
    next if !defined($got) && $!{EINTR};
    last if !$got;
    if ($left > 0) {
      my $part = substr($data, 0, $left);
      $left -= length($part);
      syswrite($notes, pack('aNa*', $mark, length($part), $part));
    }
    for (my $done = 0; $done < $got;) {
      my $written = syswrite($into, $data, $got - $done, $done);
      next if !defined($written) && $!{EINTR};
      exit 0 if !defined($written);
      $done += $written;
    }
  }
  exit 0;
}
my $reader = fork();
defined($reader) or exit 125;
if ($reader == 0) {
  close($in_read); close($out_read); close($out_write);
  pass('>', \*STDIN, $in_write);
}
my $writer = fork();
defined($writer) or exit 125;
if ($writer == 0) {
  close($in_read); close($in_write); close($out_write); close(STDIN);
  open(my $program, '>', $to) or exit 125;
  pass('<', $out_read, $program);
}
my $validator = fork();
defined($validator) or exit 125;
if ($validator == 0) {
  close($in_write); close($out_read); close($notes);
  open(STDIN, '<&', $in_read) or exit 125;
  open(STDOUT, '>&', $out_write) or exit 125;
  close($in_read); close($out_write);
  exec { $command[0] } @command or exit 125;
}
close($in_read); close($in_write); close($out_read); close($out_write); close(STDIN);
waitpid($validator, 0);
my $status = $?;
if (open(my $mark, '>', $ended)) { close($mark); }
kill('KILL', $reader);
waitpid($writer, 0);
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);
`;

/** Processes that the relay adds to those of the validator. */
export const RELAY_PROCESSES = 3;

/** Paths as the sandbox shows them. */
export const relayCommand = (
  paths: { readonly toProgram: string; readonly transcript: string; readonly ended: string },
  bytes: number,
  command: readonly string[],
): readonly [string, ...string[]] => [
  "/usr/bin/perl",
  "-MErrno",
  "-e",
  RELAY,
  paths.toProgram,
  paths.transcript,
  paths.ended,
  String(bytes),
  ...command,
];

/**
 * What was said, as the format writes interactions: lines of the program begin with ">", those of the validator with
 * "<". Read from a file that the validator could have touched; at most `characters`.
 */
export function readTranscript(path: string, characters: number): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return "";
  }
  try {
    if (!fstatSync(fd).isFile()) return "";
    const bytes = Buffer.alloc(characters * 8);
    return renderTranscript(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0))).slice(0, characters);
  } finally {
    closeSync(fd);
  }
}

const MARKS: ReadonlyMap<number, string> = new Map([
  [0x3c, "<"],
  [0x3e, ">"],
]);

function renderTranscript(bytes: Buffer): string {
  let text = "";
  let last = "";
  for (let at = 0; at + 5 <= bytes.length;) {
    const mark = MARKS.get(bytes[at] ?? 0);
    const length = bytes.readUInt32BE(at + 1);
    if (mark === undefined) break;
    const words = stripVTControlCharacters(bytes.toString("utf8", at + 5, at + 5 + length)).replaceAll(
      /(?![\n\t])\p{Cc}/gu,
      "",
    );
    for (const piece of words.split(/(?<=\n)/)) {
      if (piece === "") continue;
      // What goes on in the line that it left is no line of its own.
      if (text !== "" && !text.endsWith("\n")) text += last === mark ? "" : "\n";
      text += last === mark && text !== "" && !text.endsWith("\n") ? piece : `${mark} ${piece}`;
      last = mark;
    }
    at += 5 + length;
  }
  return text.trimEnd();
}
