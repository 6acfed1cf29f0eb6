//! The audit log: its entries, the pages of them, and the lines of an export.

mod base64;
#[cfg(feature = "records")]
mod convert;
mod entry;
mod export;
mod system;

pub use self::base64::Base64;
pub use self::system::{AuditFinding, AuditKey, LastCheckpoint, SinkLag, SystemAudit, VerifiedAudit, VerifyAudit};
pub use entry::{AuditContext, AuditEntry, AuditPage};
pub use export::{EXPORT_FORMAT, ExportCheckpoint, ExportEnd, ExportHeader, ExportKey, ExportLine, ExportRecord};
