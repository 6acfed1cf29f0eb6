//! SIGINT, SIGQUIT, SIGTERM and SIGHUP end the command at once; what it had only begun to write is taken away first.

use crate::failure::{Exit, Failure};
use crate::{files, prompt};
use tokio::signal::unix::{SignalKind, signal};

/// Listens from now on, but to none that this process was started to ignore, as by `nohup` or `trap ''`: neither it nor a program
/// that it becomes hears those. Must be called inside the runtime.
pub(crate) fn end_at_once() -> Result<(), Failure> {
    let ignored = std::fs::read_to_string("/proc/self/status").map_or(0, |status| ignored(&status));
    for kind in [SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate(), SignalKind::hangup()] {
        if ignored & (1 << (kind.as_raw_value() - 1)) != 0 {
            continue;
        }
        let mut heard = signal(kind).map_err(|error| Failure::failed("signals cannot be heard").because(error))?;
        tokio::spawn(async move {
            if heard.recv().await.is_some() {
                end(kind);
            }
        });
    }
    Ok(())
}

fn end(kind: SignalKind) {
    prompt::show_typing_again();
    let _nothing_is_begun = files::remove_unfinished();
    let is_interrupt = kind == SignalKind::interrupt();
    std::process::exit(if is_interrupt { Exit::Interrupted as i32 } else { 128 + kind.as_raw_value() });
}

/// The signals that are ignored, from what the kernel tells of a process: a bit for each, the lowest for signal 1.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::ignored;

    #[test]
    fn the_kernel_tells_which_signals_are_ignored() {
        assert_eq!(
            ignored("SigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000004\n"),
            0x1001
        );
        assert_eq!(ignored("Name:\tSigIgn\n"), 0);
    }
}
