use crate::id::StreamId;
use core::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $what:literal, $advice:literal;)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum FindingKind {
            $($(#[$doc])* $variant,)*
        }

        impl FindingKind {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A stable name, for programs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// What to do.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

kinds! {
    /// Numbers have a gap.
    CheckpointMissing = "checkpoint_missing", "a checkpoint is missing",
        "look for it where checkpoints are sent to, and in backups; who could write to the database may have removed it";
    /// The bytes or the signature of a checkpoint were changed.
    CheckpointChanged = "checkpoint_changed", "the checkpoint is not what was signed",
        "compare it with the one that was sent out; who could write to the database may have changed it";
    /// It isn't chained to the one before.
    CheckpointUnchained = "checkpoint_unchained", "the checkpoint does not follow from the one before",
        "compare both with those that were sent out; one of them was made or put there by somebody else, or the database was set back";
    /// It is signed by another key than the newest that was known.
    CheckpointKey = "checkpoint_key", "the checkpoint is not signed by the newest key that was known before it",
        "somebody may have signed it with another key; compare it with the one that was sent out";
    /// It makes keys known that it may not.
    CheckpointKeys = "checkpoint_keys", "the keys that the checkpoint makes known do not follow those before",
        "somebody may have slipped a key in; compare it with the one that was sent out";
    /// There were more checkpoints.
    CheckpointsCutOff = "checkpoints_cut_off", "checkpoints that were there are gone",
        "look for them where checkpoints are sent to, and in backups; the database may have been set back";
    /// A key that a checkpoint made known isn't one of the installation.
    KeyForeign = "key_foreign", "a key that a checkpoint made known is none of this installation",
        "somebody may have signed the log with a key of their own; take the last checkpoint under a key that you trust for the end of the log";
    /// The store has a key that the installation didn't make.
    KeySlippedIn = "key_slipped_in", "the database has a key for the log that does not open under the root key",
        "it signs nothing and holds up no rotation; somebody may have slipped it in: find out who, make sure that no root key is missing, and delete that row of instance_keys";
    /// The first key isn't the one that is trusted.
    KeyUntrusted = "key_untrusted", "the first key is not the one that you trust",
        "see that you gave the key of this installation; if so, the whole log was signed by somebody else";
    /// The anchor isn't in the log.
    AnchorMissing = "anchor_missing", "the log has no checkpoint of the anchor's number",
        "the log was cut off or set back to a time before the anchor, or is another installation's: look in backups for the rest; an export must be newer than the anchor";
    /// The log has another checkpoint of the anchor's number.
    AnchorDiffers = "anchor_differs", "the log has another checkpoint of the anchor's number",
        "the log was set back and written anew, or is another installation's; keep the anchor, and look in backups for the log that it is of";
    /// The anchor's checkpoint came when records were there already, so that it doesn't show whether they are all.
    AnchorLate = "anchor_late", "the anchor's checkpoint comes behind records in the export",
        "the export was begun before that checkpoint was made, or somebody put it there to hide that records are gone: export again, or give an anchor from before the export";
    /// A stream that checkpoints tell of is gone.
    StreamMissing = "stream_missing", "the whole stream is gone",
        "its records may be in a backup or where they were sent to; who could write to the database may have removed them";
    /// Sequences have a gap.
    RecordMissing = "record_missing", "records are missing from here on",
        "they may be in a backup or where they were sent to; who could write to the database may have removed them";
    /// The bytes or the hash of a record were changed.
    RecordChanged = "record_changed", "the record is not what was written, or not the one that stood here",
        "compare it with a backup or with where it was sent to; who could write to the database may have changed it";
    /// The bytes are no record.
    RecordUnreadable = "record_unreadable", "the record cannot be read",
        "it may be damaged, or of a newer version of this program; compare it with a backup";
    /// A record stands where another one should.
    RecordMisplaced = "record_misplaced", "the record comes in the wrong place, or twice",
        "the export may have been put together anew; export again";
    /// What is searched and shown isn't what was signed.
    ColumnDiffers = "column_differs", "a column says something else than the signed record",
        "trust the signed record; who could write to the database may have changed the column to hide it from searches";
    /// The signature doesn't hold.
    SignatureInvalid = "signature_invalid", "the signature does not hold",
        "the records since the signature before, or the signature, were changed by somebody without the key; compare them with a backup";
    /// Nobody knows the key.
    SignatureKeyUnknown = "signature_key_unknown", "the record is signed by a key that no checkpoint made known",
        "somebody may have signed with a key of their own; if checkpoints are missing too, look for those first";
    /// An older key than before.
    SignatureKeyOlder = "signature_key_older", "the record is signed by an older key than one before it",
        "somebody may have signed with a key that was replaced";
    /// No signature covers the end.
    Unsigned = "unsigned", "no signature covers the records from here on",
        "somebody may have added them, or have removed the signature after them";
    /// The stream went on.
    RecordsCutOff = "records_cut_off", "the stream went on, and its records from here on are gone",
        "they may be in a backup or where they were sent to; who could write to the database may have removed them";
    /// A checkpoint tells of another record.
    CheckpointDiffers = "checkpoint_differs", "the record is not the one that a checkpoint tells of",
        "the stream was written anew, or set back and gone on with; compare it with a backup from before";
    /// A search wouldn't find it.
    IndexLineMissing = "index_line_missing", "the index lacks lines of the record, so that searches miss it",
        "the record itself is there; who could write to the database may have removed the lines";
    /// The index has more than the records give.
    IndexLinesForeign = "index_lines_foreign", "the index has other lines than the records give",
        "searches compare records, and show none that isn't there; who could write to the database may have added lines";
    /// An export ends before its end.
    ExportTorn = "export_torn", "the export has no end, or does not tell how long it is",
        "it was cut off while it was made or copied; export again";
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what())
    }
}

/// Something that isn't as it was signed, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// In which stream.
    pub stream: Option<StreamId>,
    /// The first record that it shows at.
    pub sequence: Option<u64>,
    /// At which checkpoint.
    pub checkpoint: Option<u64>,
    /// Which column differs, or other words on what it is.
    pub part: Option<&'static str>,
}

impl Finding {
    /// Of a record.
    #[must_use]
    pub const fn at_record(kind: FindingKind, stream: StreamId, sequence: u64) -> Self {
        Self { kind, stream: Some(stream), sequence: Some(sequence), checkpoint: None, part: None }
    }

    /// Of a stream.
    #[must_use]
    pub const fn of_stream(kind: FindingKind, stream: StreamId) -> Self {
        Self { kind, stream: Some(stream), sequence: None, checkpoint: None, part: None }
    }

    /// Of a checkpoint.
    #[must_use]
    pub const fn at_checkpoint(kind: FindingKind, number: u64) -> Self {
        Self { kind, stream: None, sequence: None, checkpoint: Some(number), part: None }
    }

    /// Of the whole log.
    #[must_use]
    pub const fn of_all(kind: FindingKind) -> Self {
        Self { kind, stream: None, sequence: None, checkpoint: None, part: None }
    }
}

/// One line: where, and what.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut divider = "";
        if let Some(stream) = self.stream {
            write!(f, "stream {stream}")?;
            divider = ", ";
        }
        if let Some(sequence) = self.sequence {
            write!(f, "{divider}record {sequence}")?;
            divider = ", ";
        }
        if let Some(checkpoint) = self.checkpoint {
            write!(f, "{divider}checkpoint {checkpoint}")?;
            divider = ", ";
        }
        if !divider.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(self.kind.what())?;
        self.part.map_or(Ok(()), |part| write!(f, " ({part})"))
    }
}
