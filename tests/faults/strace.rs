//! Transcripts of `strace -f -y`, and whether an answer was sent only when what it tells was on disk.

use std::collections::HashMap;
use std::fmt;
use strongroom_domain::id::RequestId;

/// The system calls that the check needs.
pub(crate) const TRACED: &str =
    "trace=read,recvfrom,recvmsg,write,writev,pwrite64,sendto,sendmsg,ftruncate,fsync,fdatasync";

const READS: [&str; 3] = ["read", "recvfrom", "recvmsg"];
const WRITES: [&str; 5] = ["write", "writev", "pwrite64", "sendto", "sendmsg"];
const SYNCS: [&str; 2] = ["fsync", "fdatasync"];

/// The lengths of SQLite's write-ahead log's own header, and of the header of each of its frames.
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
const PAGE: u64 = 4096;

/// One system call. Places are line numbers: two calls overlap unless one ended before the other began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    name: String,
    /// What its descriptor stands for: a file's path, or `socket:[…]`.
    target: String,
    /// The bytes that it read or wrote; of several buffers all together.
    bytes: Vec<u8>,
    /// Its last argument: of `pwrite64` the offset.
    last: Option<u64>,
    /// `None` when it never returned, or was not executed.
    result: Option<i64>,
    began: usize,
    ended: usize,
}

impl Call {
    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    fn is_sync_of(&self, file: &str) -> bool {
        self.is(&SYNCS) && self.target == file && self.result == Some(0)
    }

    /// Whether it wrote the header of a log frame that ends a transaction: then its second word is the size of the database.
    fn ends_transaction(&self) -> bool {
        let at_frame = self.last.and_then(|offset| offset.checked_sub(LOG_HEADER));
        at_frame.is_some_and(|offset| offset % (FRAME_HEADER + PAGE) == 0)
            && self.bytes.len() as u64 == FRAME_HEADER
            && self.bytes[4..8] != [0; 4]
    }

    fn has(&self, part: &[u8]) -> bool {
        self.bytes.windows(part.len()).any(|window| window == part)
    }
}

/// Reads a transcript. Lines about signals and exits, and calls without a descriptor, are left out.
pub(crate) fn parse(transcript: &str) -> Vec<Call> {
    let mut open: HashMap<&str, (usize, String)> = HashMap::new();
    let mut calls = Vec::new();
    for (at, line) in transcript.lines().enumerate() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            open.insert(thread, (at, head.trim_end().to_owned()));
        } else if rest.starts_with("<... ") {
            if let (Some((began, head)), Some((_, tail))) = (open.remove(thread), rest.split_once(" resumed>")) {
                calls.extend(parse_call(&format!("{head}{tail}"), began, at));
            }
        } else {
            calls.extend(parse_call(rest, at, at));
        }
    }
    // What was under way at the end never returned.
    let end = transcript.lines().count();
    calls.extend(open.into_values().filter_map(|(began, head)| parse_call(&head, began, end)));
    calls.sort_by_key(|call| call.began);
    calls
}

/// Reads `name(descriptor<target>, arguments) = result`, or what there is of it.
fn parse_call(text: &str, began: usize, ended: usize) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (descriptor, rest) = rest.split_once('<')?;
    descriptor.parse::<u32>().ok()?;
    let (target, rest) = rest.split_once('>')?;
    // With `-xx` a path is written like a string, without its quotes.
    let target = String::from_utf8(take_strings(&format!("\"{target}\"")).0).ok()?;
    let (bytes, plain) = take_strings(rest);
    let (arguments, result) = plain.rsplit_once(')').unwrap_or((&plain, ""));
    let result = result.trim_start().strip_prefix("= ").unwrap_or_default();
    let result = if result.contains("INJECTED") { None } else { result.split(' ').next()?.parse().ok() };
    let last = arguments.rsplit(',').next().and_then(|argument| argument.trim().parse().ok());
    Some(Call { name: name.to_owned(), target, bytes, last, result, began, ended })
}

/// The bytes of the strings of a text, and the text without them.
fn take_strings(text: &str) -> (Vec<u8>, String) {
    let (mut bytes, mut plain) = (Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = rest.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside => match rest.next() {
                Some('x') => {
                    let code: String = rest.by_ref().take(2).collect();
                    bytes.extend(u8::from_str_radix(&code, 16));
                }
                Some('n') => bytes.push(b'\n'),
                Some('r') => bytes.push(b'\r'),
                Some('t') => bytes.push(b'\t'),
                Some('v') => bytes.push(0x0b),
                Some('f') => bytes.push(0x0c),
                Some(digit @ '0'..='7') => {
                    let mut code = digit.to_digit(8).unwrap_or_default();
                    for _ in 0..2 {
                        let Some(more) = rest.peek().and_then(|c| c.to_digit(8)) else { break };
                        code = code * 8 + more;
                        rest.next();
                    }
                    bytes.extend(u8::try_from(code));
                }
                Some(other) => bytes.extend(other.to_string().bytes()),
                None => {}
            },
            _ if inside => bytes.extend(c.to_string().bytes()),
            _ => plain.push(c),
        }
    }
    (bytes, plain)
}

/// What was seen of one operation, in line numbers of the transcript.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Durable {
    /// Where its transaction's last frame was written.
    pub(crate) written_at: usize,
    /// Where that became durable.
    pub(crate) synced_at: usize,
    /// Where its answer was sent.
    pub(crate) answered_at: usize,
}

/// Why an answer could be lost although it was given, or why nothing can be said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    NoRequest,
    NoAnswer,
    /// It was answered, but not with success.
    Refused(String),
    /// The answer does not name its request.
    NoRequestId,
    /// The log got nothing with the request's identifier before the answer, or no end of that transaction.
    NothingWritten,
    /// The answer was sent before the last write was synced.
    NotSynced {
        written_at: usize,
        answered_at: usize,
    },
    /// The log was cut off before what it held was durable in the main file.
    LogLost {
        cut_at: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRequest => f.write_str("the request is not in the transcript"),
            Self::NoAnswer => f.write_str("no answer to the request is in the transcript"),
            Self::Refused(answer) => write!(f, "the request was refused: {answer}"),
            Self::NoRequestId => f.write_str("the answer has no X-Request-Id"),
            Self::NothingWritten => f.write_str("no transaction of this request was written before the answer"),
            Self::NotSynced { written_at, answered_at } => {
                write!(
                    f,
                    "what was written in line {written_at} was not synced before the answer in line {answered_at}"
                )
            }
            Self::LogLost { cut_at } => write!(f, "line {cut_at} cuts the log, and the main file was not synced"),
        }
    }
}

/// Whether all that an operation wrote to the database was synced before its answer left.
///
/// `request` is the request line, without the protocol; `database` is the path of the database's main file, which SQLite keeps
/// with a write-ahead log. Which writes belong to the operation is seen from the log: its transaction holds the audit record with
/// the request's identifier, and ends with the next frame that is marked as an end. What other transactions write meanwhile
/// does not matter, and a checkpoint only when it cuts off the log.
pub(crate) fn durable_before_answer(calls: &[Call], request: &str, database: &str) -> Result<Durable, Violation> {
    let start = format!("{request} HTTP/1.1\r\n").into_bytes();
    let received =
        calls.iter().find(|call| call.is(&READS) && call.bytes.starts_with(&start)).ok_or(Violation::NoRequest)?;
    let answer = calls
        .iter()
        .find(|call| call.is(&WRITES) && call.target == received.target && call.began > received.ended)
        .ok_or(Violation::NoAnswer)?;
    let text = String::from_utf8_lossy(&answer.bytes);
    if !text.starts_with("HTTP/1.1 2") {
        return Err(Violation::Refused(text.into_owned()));
    }
    let id = request_id(&text).ok_or(Violation::NoRequestId)?;

    let log = format!("{database}-wal");
    let between: Vec<&Call> =
        calls.iter().filter(|call| call.began > received.began && call.began < answer.began).collect();
    let writes: Vec<&Call> = between.iter().copied().filter(|call| call.is(&WRITES) && call.target == log).collect();
    let first = writes.iter().position(|call| call.has(id.uuid().as_bytes())).ok_or(Violation::NothingWritten)?;
    // The record's page stands behind the header of its frame, which may be the one that ends the transaction.
    let headers = first.saturating_sub(1);
    let end = writes[headers..].iter().position(|call| call.ends_transaction()).ok_or(Violation::NothingWritten)?;
    let last = writes.get(headers + end + 1).ok_or(Violation::NothingWritten)?;
    let written_at = writes[..=headers + end + 1].iter().map(|call| call.ended).max().unwrap_or(last.ended);
    let durable = |file: &str, from: usize, before: usize| {
        between.iter().find(|call| call.is_sync_of(file) && call.began > from && call.ended < before).copied()
    };
    let not_synced = Violation::NotSynced { written_at, answered_at: answer.began };
    let sync = durable(&log, written_at, answer.began).ok_or(not_synced)?;

    if let Some(cut) =
        between.iter().find(|call| call.name == "ftruncate" && call.target == log && call.began > written_at)
    {
        let copied =
            between.iter().filter(|call| call.is(&WRITES) && call.target == database && call.began < cut.began);
        let copied = copied.map(|call| call.ended).max().unwrap_or(written_at);
        durable(database, copied, cut.began).ok_or(Violation::LogLost { cut_at: cut.began })?;
    }
    Ok(Durable { written_at, synced_at: sync.ended, answered_at: answer.began })
}

fn request_id(answer: &str) -> Option<RequestId> {
    let headers = answer.lines().filter_map(|line| line.split_once(':'));
    headers.filter(|(name, _)| name.eq_ignore_ascii_case("x-request-id")).find_map(|(_, id)| id.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{Durable, Violation, durable_before_answer, parse};
    use std::fmt::Write;
    use strongroom_domain::id::RequestId;

    const PUT: &str = "POST /v1/secrets/nl-01/secret/a/versions";
    const RECEIVED: &str = r#"7  recvfrom(12<socket:[99]>, "POST /v1/secrets/nl-01/secret/a/versions HTTP/1.1\r\nhost: x\r\n"..., 8192, 0, NULL, NULL) = 310"#;
    /// A frame's header: page 3, and not the end of a transaction.
    const HEADER: &str = r#"8  pwrite64(9</d/s.db-wal>, "\0\0\0\3\0\0\0\0abcdefghABCDEFGH", 24, 32) = 24"#;
    const PAGE: &str = r#"8  pwrite64(9</d/s.db-wal>, "a) = 7, \"<...\\", 4096, 56) = 4096"#;
    /// The header of a frame that ends a transaction, and its page.
    const LAST_HEADER: &str = r#"8  pwrite64(9</d/s.db-wal>, "\0\0\0\4\0\0\0\3711234567812345678", 24, 4152) = 24"#;
    const LAST_PAGE: &str = r#"8  pwrite64(9</d/s.db-wal>, "b", 4096, 4176) = 4096"#;
    const SYNCED: &str = "8  fdatasync(9</d/s.db-wal>) = 0";

    fn id() -> RequestId {
        RequestId::new(uuid::Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_2228))
    }

    fn answered() -> String {
        let head = format!(r"HTTP/1.1 201 Created\r\nX-Request-Id: {}\r\n\r\n", id());
        format!(r#"7  sendto(12<socket:[99]>, "{head}", 300, MSG_NOSIGNAL, NULL, 0) = 300"#)
    }

    /// A page with the request's identifier, in strace's hexadecimal form.
    fn record() -> String {
        let mut bytes = String::from(r"\x00");
        for byte in id().uuid().as_bytes() {
            let _ = write!(bytes, r"\x{byte:02x}");
        }
        PAGE.replace("a) =", &format!("{bytes}a) ="))
    }

    /// Checks the lines; `RECORD` and `ANSWERED` stand for the two that depend on the identifier.
    fn check(lines: &[&str]) -> Result<Durable, Violation> {
        let lines: Vec<String> =
            lines.iter().map(|line| line.replace("RECORD", &record()).replace("ANSWERED", &answered())).collect();
        durable_before_answer(&parse(&lines.join("\n")), PUT, "/d/s.db")
    }

    fn not_synced(lines: &[&str]) -> bool {
        matches!(check(lines), Err(Violation::NotSynced { .. }))
    }

    #[test]
    fn written_synced_answered_is_durable() {
        let expected = Durable { written_at: 4, synced_at: 5, answered_at: 6 };
        let lines = [RECEIVED, HEADER, "RECORD", LAST_HEADER, LAST_PAGE, SYNCED, "ANSWERED"];
        assert_eq!(check(&lines), Ok(expected));
        assert!(check(&lines.map(|line| if line == SYNCED { "8  fsync(9</d/s.db-wal>)   = 0" } else { line })).is_ok());
        let hexadecimal = SYNCED.replace("/d/s.db-wal", r"\x2f\x64\x2f\x73\x2e\x64\x62\x2d\x77\x61\x6c");
        assert!(check(&lines.map(|line| if line == SYNCED { &hexadecimal } else { line })).is_ok());
        let one_frame = LAST_HEADER.replace("4152", "32");
        assert!(check(&[RECEIVED, &one_frame, "RECORD", SYNCED, "ANSWERED"]).is_ok());
        let vectored = answered().replace("sendto", "writev").replace(", \"", ", [{iov_base=\"");
        let vectored = vectored.replace("300, MSG_NOSIGNAL, NULL, 0)", "iov_len=300}], 1)");
        assert!(check(&[RECEIVED, &one_frame, "RECORD", SYNCED, &vectored]).is_ok());
    }

    #[test]
    fn without_the_sync_it_is_not() {
        let expected = Violation::NotSynced { written_at: 4, answered_at: 5 };
        assert_eq!(check(&[RECEIVED, HEADER, "RECORD", LAST_HEADER, LAST_PAGE, "ANSWERED"]), Err(expected));
    }

    #[test]
    fn a_sync_too_early_too_late_or_elsewhere_does_not_count() {
        fn with(lines: [&str; 4]) -> Vec<&str> {
            [&[RECEIVED, HEADER, "RECORD", LAST_HEADER], &lines[..]].concat()
        }
        assert!(not_synced(&with([SYNCED, LAST_PAGE, "ANSWERED", ""])), "inside the transaction");
        assert!(not_synced(&with([LAST_PAGE, "ANSWERED", SYNCED, ""])), "after the answer");
        let failed = SYNCED.replace("= 0", "= -1 EIO (Input/output error)");
        assert!(not_synced(&with([LAST_PAGE, &failed, "ANSWERED", ""])), "failed");
        let injected = SYNCED.replace("= 0", "= 0 (INJECTED)");
        assert!(not_synced(&with([LAST_PAGE, &injected, "ANSWERED", ""])), "never executed");
        let elsewhere = SYNCED.replace("-wal", "");
        assert!(not_synced(&with([LAST_PAGE, &elsewhere, "ANSWERED", ""])), "another file");
    }

    #[test]
    fn calls_that_overlap_are_no_order() {
        let head = [RECEIVED, HEADER, "RECORD", LAST_HEADER];
        let began = "8  fdatasync(9</d/s.db-wal> <unfinished ...>";
        let ended = "8  <... fdatasync resumed>) = 0";
        assert!(check(&[&head[..], &[LAST_PAGE, began, "9  close(3</x>) = 0", ended, "ANSWERED"]].concat()).is_ok());
        assert!(
            not_synced(&[&head[..], &[LAST_PAGE, began, "ANSWERED", ended]].concat()),
            "ended after the answer began"
        );
        assert!(not_synced(&[&head[..], &[LAST_PAGE, began, "ANSWERED"]].concat()), "never ended");
        let page_began = r#"6  pwrite64(9</d/s.db-wal>, "b", 4096, 4176 <unfinished ...>"#;
        let page_ended = "6  <... pwrite64 resumed>) = 4096";
        assert!(not_synced(&[&head[..], &[page_began, SYNCED, page_ended, "ANSWERED"]].concat()), "began too early");
        assert!(check(&[&head[..], &[page_began, page_ended, SYNCED, "ANSWERED"]].concat()).is_ok());
        let received_began = "7  recvfrom(12<socket:[99]>,  <unfinished ...>";
        let received = RECEIVED.replace("recvfrom(12<socket:[99]>, ", "<... recvfrom resumed>");
        let rest = [HEADER, "RECORD", LAST_HEADER, LAST_PAGE, SYNCED, "ANSWERED"];
        assert!(check(&[&[received_began, &received], &rest[..]].concat()).is_ok());
    }

    #[test]
    fn other_transactions_files_and_connections_do_not_matter() {
        let head = [RECEIVED, HEADER, "RECORD", LAST_HEADER, LAST_PAGE];
        let later = HEADER.replace(", 32)", ", 8272)");
        assert!(check(&[&head[..], &[SYNCED, &later, "ANSWERED"]].concat()).is_ok(), "the next transaction");
        let shared = r#"8  pwrite64(10</d/s.db-shm>, "x", 1, 4095) = 1"#;
        let other = answered().replace("[99]", "[98]");
        assert!(check(&[&head[..], &[&other, SYNCED, shared, "ANSWERED"]].concat()).is_ok());
        assert_eq!(check(&[&head[..], &[SYNCED, &other]].concat()), Err(Violation::NoAnswer));
        let before = [HEADER, PAGE, LAST_HEADER, LAST_PAGE, SYNCED];
        assert!(not_synced(&[&[RECEIVED], &before[..], &head[1..], &["ANSWERED"]].concat()), "only an earlier one");
    }

    #[test]
    fn a_checkpoint_cuts_the_log_only_after_a_sync() {
        let head = [RECEIVED, HEADER, "RECORD", LAST_HEADER, LAST_PAGE, SYNCED];
        let copied = r#"8  pwrite64(8</d/s.db>, "x", 4096, 0) = 4096"#;
        let main_synced = "8  fdatasync(8</d/s.db>) = 0";
        let cut = "8  ftruncate(9</d/s.db-wal>, 0) = 0";
        assert!(check(&[&head[..], &[copied, "ANSWERED"]].concat()).is_ok(), "the log stands");
        assert!(check(&[&head[..], &[copied, main_synced, cut, "ANSWERED"]].concat()).is_ok());
        for lost in [&[copied, cut, "ANSWERED"][..], &[main_synced, copied, cut, "ANSWERED"]] {
            assert!(matches!(check(&[&head[..], lost].concat()), Err(Violation::LogLost { .. })));
        }
    }

    #[test]
    fn without_a_request_a_write_or_a_success_nothing_is_shown() {
        let transaction = [HEADER, "RECORD", LAST_HEADER, LAST_PAGE, SYNCED];
        assert_eq!(check(&[&transaction[..], &["ANSWERED"]].concat()), Err(Violation::NoRequest));
        assert_eq!(check(&[RECEIVED, "ANSWERED"]), Err(Violation::NothingWritten));
        assert_eq!(check(&[&transaction[..], &[RECEIVED, "ANSWERED"]].concat()), Err(Violation::NothingWritten));
        let no_end = [RECEIVED, HEADER, "RECORD", SYNCED, "ANSWERED"];
        assert_eq!(check(&no_end), Err(Violation::NothingWritten), "no end of the transaction");
        assert_eq!(
            check(&[RECEIVED, HEADER, PAGE, LAST_HEADER, LAST_PAGE, SYNCED, "ANSWERED"]),
            Err(Violation::NothingWritten)
        );
        let refused = answered().replace("201 Created", "503 Service Unavailable");
        assert!(matches!(check(&[&[RECEIVED], &transaction[..], &[&refused]].concat()), Err(Violation::Refused(_))));
        let nameless = answered().replace("X-Request-Id", "X-Other");
        assert_eq!(check(&[&[RECEIVED], &transaction[..], &[&nameless]].concat()), Err(Violation::NoRequestId));
    }
}
