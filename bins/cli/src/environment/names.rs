//! What a variable is called.

use core::fmt;

/// Variables by which programs are told what to load or run, where things are, or whom to trust: a secret gets such a name only from
/// somebody who says so.
const RESERVED: [&str; 62] = [
    "ALL_PROXY",
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "CDPATH",
    "CLASSPATH",
    "CURL_CA_BUNDLE",
    "DISPLAY",
    "EDITOR",
    "ENV",
    "FTP_PROXY",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLOBIGNORE",
    "HOME",
    "HOSTALIASES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LANG",
    "LANGUAGE",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCALDOMAIN",
    "LOCPATH",
    "LOGNAME",
    "MAIL",
    "MANPATH",
    "NIS_PATH",
    "NLSPATH",
    "NO_PROXY",
    "OLDPWD",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH",
    "PROMPT_COMMAND",
    "PS4",
    "PWD",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "SHELL",
    "SHELLOPTS",
    "SHLVL",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TERMINFO",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "USER",
    "VISUAL",
    "XDG_RUNTIME_DIR",
    "ZDOTDIR",
    "_",
    "_JAVA_OPTIONS",
    "__PYVENV_LAUNCHER__",
];

/// Beginnings of such names.
const RESERVED_BEGINNINGS: [&str; 17] = [
    "BASH_FUNC_",
    "DYLD_",
    "GIT_",
    "GLIBC_",
    "LC_",
    "LD_",
    "LUA_",
    "MALLOC_",
    "NODE_",
    "NPM_CONFIG_",
    "PERL5",
    "PERL_",
    "PHP_INI_",
    "PHPRC",
    "PYTHON",
    "RUBY",
    "STRONGROOM_",
];

/// The name of a secret, or of one of its values: prefix, last segment and key, in capitals, with `_` for all but letters and digits
/// and in front of a digit.
fn derived(prefix: &str, path: &str, key: Option<&str>) -> String {
    let last = path.rsplit('/').next().unwrap_or(path);
    let mut name = prefix.to_owned();
    let allowed =
        |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' };
    name.extend(last.chars().map(allowed));
    if let Some(key) = key {
        name.push('_');
        name.extend(key.chars().map(allowed));
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// Whether such a name can change what a program does.
fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || RESERVED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// A value's place: `/path`, or `/path#key`.
pub(crate) fn origin(path: &str, key: Option<&str>) -> String {
    key.map_or_else(|| path.to_owned(), |key| format!("{path}#{key}"))
}

/// A name that a secret gets only from somebody who says so.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) name: String,
    origin: String,
}

impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} would be {}, by which programs are told what to do", self.origin, self.name)
    }
}

/// The name that is made of a path, unless it is reserved.
pub(crate) fn harmless(prefix: &str, path: &str, key: Option<&str>) -> Result<String, Reserved> {
    let name = derived(prefix, path, key);
    if is_reserved(&name) { Err(Reserved { name, origin: origin(path, key) }) } else { Ok(name) }
}

/// What the name of a variable can begin with.
pub(crate) fn prefix(text: &str) -> Result<String, &'static str> {
    if is_name(text) || text.is_empty() {
        Ok(text.to_owned())
    } else {
        Err("letters, digits and _, and no digit in front")
    }
}

/// Whether every shell could name it.
pub(crate) fn is_name(name: &str) -> bool {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::{derived, is_name, is_reserved};

    #[test]
    fn names_are_those_of_last_segments() {
        assert_eq!(derived("", "/app/prod/db-password", None), "DB_PASSWORD");
        assert_eq!(derived("", "/app/prod/db.main+x", Some("user/name")), "DB_MAIN_X_USER_NAME");
        assert_eq!(derived("APP_", "/1st", None), "APP_1ST");
        assert_eq!(derived("", "/1st", None), "_1ST");
        assert!(is_name(&derived("", "/+", Some("."))));
    }

    #[test]
    fn names_that_steer_programs_are_reserved() {
        for name in ["PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "PYTHONPATH", "NODE_OPTIONS", "IFS"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["DB_PASSWORD", "TOKEN", "PATHS", "LDAP_PASSWORD", "HOMEPAGE"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
