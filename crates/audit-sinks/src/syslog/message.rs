use crate::line;
use core::str::FromStr;
use strongroom_domain::audit::{ChainedRecord, Outcome};
use strongroom_domain::port::SinkError;

/// The longest names that a message may hold (RFC 5424 section 6).
const MAX_HOST_LEN: usize = 255;
const MAX_APP_NAME_LEN: usize = 48;

/// Names our parameters among those of others. The number is the one that is set aside for examples (RFC 5612): we have none of our own.
const SD_ID: &str = "strongroom@32473";

/// The facility that messages come from (RFC 5424 section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

/// `authpriv`: what not everybody may read.
impl Default for Facility {
    fn default() -> Self {
        Self(10)
    }
}

const FACILITIES: [(&str, u8); 13] = [
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("authpriv", 10),
    ("audit", 13),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// No facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of user, daemon, auth, authpriv, audit, local0 to local7")]
pub struct FacilityError;

impl FromStr for Facility {
    type Err = FacilityError;

    fn from_str(text: &str) -> Result<Self, FacilityError> {
        FACILITIES.iter().find(|(name, _)| *name == text).map(|(_, code)| Self(*code)).ok_or(FacilityError)
    }
}

/// What all messages have in common.
pub(super) struct Sender {
    facility: Facility,
    /// Host, application and process.
    head: String,
}

impl Sender {
    pub(super) fn new(facility: Facility, app_name: &str) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (host, app_name) = (name(&host, MAX_HOST_LEN), name(app_name, MAX_APP_NAME_LEN));
        Self { facility, head: format!("{host} {app_name} {}", std::process::id()) }
    }

    /// The message of a record: the record itself is its text, as JSON.
    pub(super) fn message(&self, chained: &ChainedRecord) -> Result<Vec<u8>, SinkError> {
        let record = &chained.record;
        let severity = match record.outcome {
            Outcome::Success => 6,
            Outcome::Denied => 4,
            Outcome::Failure => 3,
        };
        let priority = self.facility.0 * 8 + severity;
        let at = record.at.to_rfc3339();
        let (action, outcome) = (record.action.as_str(), record.outcome.as_str());
        let data: String = [
            ("event", record.event.to_string()),
            ("stream", chained.stream.to_string()),
            ("sequence", chained.sequence.to_string()),
            ("action", action.to_owned()),
            ("outcome", outcome.to_owned()),
        ]
        .map(|(name, value)| format!(" {name}=\"{}\"", escaped(&value)))
        .concat();
        let mut message = format!("<{priority}>1 {at} {} audit [{SD_ID}{data}] ", self.head).into_bytes();
        message.extend_from_slice(&line::record(chained)?);
        Ok(message)
    }
}

/// Visible ASCII, at most so long; `-` stands for nothing.
fn name(text: &str, len: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(len).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

fn escaped(value: &str) -> String {
    value.chars().flat_map(|c| matches!(c, '"' | '\\' | ']').then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::{Facility, escaped, name};

    #[test]
    fn facilities_are_known_by_name() {
        assert_eq!("authpriv".parse(), Ok(Facility(10)));
        assert_eq!("local7".parse(), Ok(Facility(23)));
        assert!("kern".parse::<Facility>().is_err());
    }

    #[test]
    fn names_and_values_cannot_break_out() {
        assert_eq!(name("a b\n\u{e4}c", 48), "abc");
        assert_eq!(name("", 48), "-");
        assert_eq!(name("abcdef", 3), "abc");
        assert_eq!(escaped(r#"a"b\c]d"#), r#"a\"b\\c\]d"#);
    }
}
