//! Where audit records and checkpoints are sent on to: files, syslog, webhooks.
//!
//! A record is one line of JSON everywhere, the same as in an export of the whole log, so that what a sink kept can be verified like one. Every
//! sink takes records at least once: what was not acknowledged is sent again, and then some may come twice. Stream and sequence tell
//! them apart.
//!
//! - [`FileSink`]: `Ok` when the lines are on the disk.
//! - [`SyslogSink`]: `Ok` when the receiver closed after them without an error (TCP, stream socket), or when the kernel took them (UDP, datagram socket).
//! - [`WebhookSink`]: `Ok` when the receiver answered so.

mod file;
mod http;
mod line;
mod log_file;
mod syslog;
mod webhook;

pub use file::{FileCheckpointSink, FileOptions, FileSink};
pub use http::{HttpOptions, HttpOptionsError, check_url};
pub use syslog::{Facility, FacilityError, SyslogAddress, SyslogAddressError, SyslogOptions, SyslogSink};
pub use webhook::{HttpCheckpointSink, SIGNATURE_HEADER, WebhookSink};
