//! The root key: `root_key_file`, or the section `[root_key]`.

use super::path;
use super::reader::{Entry, Problems, Section};
use std::path::{Path, PathBuf};
use strongroom_root_key::{check_transit_address, check_transit_key, check_transit_mount};

/// Where Transit is mounted unless it was mounted elsewhere.
const TRANSIT: &str = "transit";

/// Where the root key is, and what opens it where it is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RootKeyConfig {
    pub(crate) source: RootKeySource,
    /// Opens lines that a passphrase sealed.
    pub(crate) passphrase: Option<SecretSource>,
    /// Opens lines that a Transit server sealed.
    pub(crate) transit: Option<TransitConfig>,
}

/// Which file is the root key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RootKeySource {
    /// This one; `None` for the one in the data directory.
    File(Option<PathBuf>),
    /// A credential of the service manager, by its name.
    Credential(String),
    /// The one that this environment variable names.
    Environment(String),
}

impl Default for RootKeySource {
    fn default() -> Self {
        Self::File(None)
    }
}

/// Where a passphrase or a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// In this file.
    File(PathBuf),
    /// In a credential of the service manager, by its name.
    Credential(String),
}

/// How a Transit server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransitConfig {
    pub(crate) address: String,
    pub(crate) token: SecretSource,
    pub(crate) mount: String,
    /// The key that seals new root keys.
    pub(crate) key: String,
    /// The certificate authorities of the server, in PEM; `None` for those of the operating system.
    pub(crate) ca_file: Option<PathBuf>,
}

pub(super) fn root_key(root: &mut Section<'_, '_>, base: &Path, problems: &mut Problems<'_>) -> RootKeyConfig {
    let file = root.get("root_key_file");
    let mut section = root.section("root_key", problems);
    let source = source(&mut section, file, base, problems);
    let passphrase = secret(&mut section, ("passphrase_file", "passphrase_credential"), base, problems);
    let transit = section.get("transit").and_then(|entry| transit(entry.section(problems), base, problems));
    section.finish(problems);
    RootKeyConfig { source, passphrase, transit }
}

fn source(
    section: &mut Section<'_, '_>,
    file: Option<Entry<'_, '_>>,
    base: &Path,
    problems: &mut Problems<'_>,
) -> RootKeySource {
    let provider = section.get("provider");
    let keys =
        [("file", section.get("path")), ("credential", section.get("name")), ("environment", section.get("variable"))];
    if let Some(file) = file {
        for entry in provider.iter().chain(keys.iter().filter_map(|(_, entry)| entry.as_ref())) {
            entry.refuse("goes without `root_key_file`, which says the same in the older way", problems);
        }
        return RootKeySource::File(path(&file, base, problems));
    }
    let known = |text: &str| match text {
        "file" | "credential" | "environment" => Ok(text.to_owned()),
        _ => Err("must be \"file\", \"credential\" or \"environment\""),
    };
    let chosen = match &provider {
        None => "file".to_owned(),
        Some(entry) => match entry.parsed(problems, known) {
            Some(chosen) => chosen,
            None => return RootKeySource::default(),
        },
    };
    for (of, entry) in &keys {
        if let Some(entry) = entry.as_ref().filter(|_| *of != chosen) {
            entry.refuse(format_args!("goes with `root_key.provider` \"{of}\" only"), problems);
        }
    }
    let [(_, file), (_, name), (_, variable)] = keys;
    let missing = |key: &str, problems: &mut Problems<'_>| {
        if let Some(provider) = &provider {
            provider.refuse(format_args!("needs `root_key.{key}`"), problems);
        }
        None
    };
    match chosen.as_str() {
        "credential" => match name {
            Some(entry) => entry.parsed(problems, credential_name),
            None => missing("name", problems),
        }
        .map_or_else(RootKeySource::default, RootKeySource::Credential),
        "environment" => match variable {
            Some(entry) => entry.parsed(problems, variable_name),
            None => missing("variable", problems),
        }
        .map_or_else(RootKeySource::default, RootKeySource::Environment),
        _ => RootKeySource::File(file.and_then(|entry| path(&entry, base, problems))),
    }
}

/// What one of two keys names.
pub(super) fn secret(
    section: &mut Section<'_, '_>,
    (file, credential): (&'static str, &'static str),
    base: &Path,
    problems: &mut Problems<'_>,
) -> Option<SecretSource> {
    match (section.get(file), section.get(credential)) {
        (Some(_), Some(entry)) => {
            entry.refuse(format_args!("goes without `{file}`"), problems);
            None
        }
        (Some(entry), None) => path(&entry, base, problems).map(SecretSource::File),
        (None, Some(entry)) => entry.parsed(problems, credential_name).map(SecretSource::Credential),
        (None, None) => None,
    }
}

fn transit(mut section: Section<'_, '_>, base: &Path, problems: &mut Problems<'_>) -> Option<TransitConfig> {
    let owned = |check: fn(&str) -> Result<(), &'static str>| move |text: &str| check(text).map(|()| text.to_owned());
    let address = section.require("address", problems);
    let address = address.and_then(|entry| entry.parsed(problems, owned(check_transit_address)));
    let key = section.require("key", problems).and_then(|entry| entry.parsed(problems, owned(check_transit_key)));
    let mount = match section.get("mount") {
        Some(entry) => entry.parsed(problems, owned(check_transit_mount)),
        None => Some(TRANSIT.to_owned()),
    };
    let ca_file = section.get("ca_file").and_then(|entry| path(&entry, base, problems));
    let token = match section.get("token_credential") {
        None => section
            .require("token_file", problems)
            .and_then(|entry| path(&entry, base, problems))
            .map(SecretSource::File),
        Some(_) => secret(&mut section, ("token_file", "token_credential"), base, problems),
    };
    section.finish(problems);
    Some(TransitConfig { address: address?, token: token?, mount: mount?, key: key?, ca_file })
}

/// A name in the directory of credentials, which leads nowhere else.
fn credential_name(text: &str) -> Result<String, &'static str> {
    let is_name = !text.is_empty() && text.len() <= 255 && !matches!(text, "." | "..") && !text.contains(['/', '\0']);
    if is_name { Ok(text.to_owned()) } else { Err("must be the name of a credential, without slashes") }
}

fn variable_name(text: &str) -> Result<String, &'static str> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { Ok(text.to_owned()) } else { Err("must be the name of an environment variable, of A-Z a-z 0-9 and _") }
}

#[cfg(test)]
mod tests {
    use super::{RootKeyConfig, RootKeySource, SecretSource, TransitConfig};
    use crate::config::Config;
    use std::path::{Path, PathBuf};

    fn parse(text: &str) -> Result<RootKeyConfig, Vec<String>> {
        let parsed = Config::parse(&format!("data_dir = \"/x\"\n{text}"), Path::new("/etc"));
        parsed.map(|config| config.root_key).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    fn of(source: RootKeySource) -> RootKeyConfig {
        RootKeyConfig { source, ..RootKeyConfig::default() }
    }

    #[test]
    fn every_provider_can_be_named() {
        let file = |path: &str| of(RootKeySource::File(Some(PathBuf::from(path))));
        for (text, expected) in [
            ("", of(RootKeySource::File(None))),
            ("root_key_file = \"a\"", file("/etc/a")),
            ("[root_key]\n", of(RootKeySource::File(None))),
            ("[root_key]\nprovider = \"file\"", of(RootKeySource::File(None))),
            ("[root_key]\npath = \"keys/a\"", file("/etc/keys/a")),
            ("[root_key]\nprovider = \"file\"\npath = \"/a\"", file("/a")),
            (
                "[root_key]\nprovider = \"credential\"\nname = \"root.key\"",
                of(RootKeySource::Credential("root.key".to_owned())),
            ),
            (
                "[root_key]\nprovider = \"environment\"\nvariable = \"ROOT_KEY\"",
                of(RootKeySource::Environment("ROOT_KEY".to_owned())),
            ),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_opens_it_can_be_named() {
        let passphrase = |text: &str| parse(text).map(|config| config.passphrase);
        let file = Some(SecretSource::File(PathBuf::from("/etc/p")));
        assert_eq!(passphrase("[root_key]\npassphrase_file = \"p\""), Ok(file.clone()));
        assert_eq!(passphrase("root_key_file = \"a\"\nroot_key.passphrase_file = \"p\""), Ok(file));
        let credential = Some(SecretSource::Credential("p".to_owned()));
        assert_eq!(passphrase("[root_key]\npassphrase_credential = \"p\""), Ok(credential));

        let transit = |text: &str| parse(&format!("[root_key.transit]\n{text}")).map(|config| config.transit);
        let whole =
            "address = \"https://bao:8200\"\ntoken_file = \"t\"\nmount = \"a/b\"\nkey = \"k\"\nca_file = \"ca.pem\"";
        let expected = TransitConfig {
            address: "https://bao:8200".to_owned(),
            token: SecretSource::File(PathBuf::from("/etc/t")),
            mount: "a/b".to_owned(),
            key: "k".to_owned(),
            ca_file: Some(PathBuf::from("/etc/ca.pem")),
        };
        assert_eq!(transit(whole), Ok(Some(expected.clone())));
        let short = "address = \"https://bao:8200\"\ntoken_credential = \"t\"\nkey = \"k\"";
        let expected = TransitConfig {
            token: SecretSource::Credential("t".to_owned()),
            mount: "transit".to_owned(),
            ca_file: None,
            ..expected
        };
        assert_eq!(transit(short), Ok(Some(expected)));
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_place() {
        let told = |text: &str, expected: &[&str]| {
            let found = parse(text).expect_err("wrong");
            assert_eq!(found.len(), expected.len(), "{found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{found}\n{expected}");
            }
        };
        told(
            "root_key_file = \"a\"\n[root_key]\nprovider = \"file\"\npath = \"b\"\nname = \"c\"\n",
            &[
                "line 4, column 12: `root_key.provider` goes without",
                "`root_key.path` goes without",
                "`root_key.name` goes without",
            ],
        );
        told(
            "[root_key]\nprovider = \"hsm\"\npasphrase_file = \"x\"\n",
            &[
                "line 3, column 12: `root_key.provider` must be",
                "line 4, column 1: `root_key.pasphrase_file` is not a known key",
            ],
        );
        told(
            "[root_key]\nprovider = \"credential\"\npath = \"a\"\nvariable = \"B\"\n",
            &[
                "needs `root_key.name`",
                "`root_key.path` goes with `root_key.provider` \"file\"",
                "\"environment\" only",
            ],
        );
        told("[root_key]\nprovider = \"environment\"\n", &["needs `root_key.variable`"]);
        for bad in ["", "a/b", "..", "."] {
            told(&format!("[root_key]\nprovider = \"credential\"\nname = \"{bad}\"\n"), &["`root_key.name` must be"]);
        }
        for bad in ["", "a b", "A=B"] {
            told(
                &format!("[root_key]\nprovider = \"environment\"\nvariable = \"{bad}\"\n"),
                &["`root_key.variable` must be"],
            );
        }
        told(
            "[root_key]\npath = \"\"\npassphrase_file = \"p\"\npassphrase_credential = \"p\"\ntransit = 7\n",
            &[
                "`root_key.path` must not be empty",
                "`root_key.passphrase_credential` goes without `passphrase_file`",
                "`root_key.transit.address` is missing",
                "`root_key.transit.key` is missing",
                "`root_key.transit.token_file` is missing",
                "`root_key.transit` must be a table",
            ],
        );
        told(
            "[root_key.transit]\naddress = \"http://bao.example.com\"\ntoken_file = \"t\"\ntoken_credential = \"t\"\nmount = \"../sys\"\n\
             key = \"a/b\"\nca = \"x\"\n",
            &[
                "`root_key.transit.address` must be an https:// URL",
                "`root_key.transit.token_credential` goes without",
                "`root_key.transit.mount` must be",
                "`root_key.transit.key` must be",
                "`root_key.transit.ca` is not a known key",
            ],
        );
    }
}
