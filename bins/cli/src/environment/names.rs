//! What a variable is called.

use core::fmt;

/// Variables by which programs are told what to load or run, where things are, or whom to trust: a secret gets such a name only from
/// somebody who says so.
const RESERVED: [&str; 189] = [
    "ALL_PROXY",
    "ANSIBLE_CONFIG",
    "ANT_OPTS",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AZURE_CONFIG_DIR",
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "BUNDLE_APP_CONFIG",
    "BUNDLE_GEMFILE",
    "BUNDLE_PATH",
    "CARGO_HOME",
    "CATALINA_OPTS",
    "CC",
    "CDPATH",
    "CFLAGS",
    "CLASSPATH",
    "CLOUDSDK_CONFIG",
    "COMPOSER_HOME",
    "CONDA_CLIENT_SSL_CERT_KEY",
    "CONSUL_HTTP_ADDR",
    "CONTAINER_HOST",
    "CPATH",
    "CPP",
    "CURL_CA_BUNDLE",
    "CURL_HOME",
    "CVS_RSH",
    "CXX",
    "CXXFLAGS",
    "DENO_CERT",
    "DENO_DIR",
    "DISPLAY",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "EDITOR",
    "ELIXIR_ERL_OPTIONS",
    "EMACSLOADPATH",
    "ENV",
    "ERL_AFLAGS",
    "ERL_FLAGS",
    "ERL_LIBS",
    "ERL_ZFLAGS",
    "EXINIT",
    "FTP_PROXY",
    "GCONV_PATH",
    "GEM_HOME",
    "GEM_PATH",
    "GETCONF_DIR",
    "GHC_ENVIRONMENT",
    "GHC_PACKAGE_PATH",
    "GIO_EXTRA_MODULES",
    "GIO_MODULE_DIR",
    "GIT_PROXY_SSL_KEY",
    "GIT_SSL_KEY",
    "GLOBIGNORE",
    "GNUMAKEFLAGS",
    "GNUPGHOME",
    "GOENV",
    "GOFLAGS",
    "GOPATH",
    "GOPROXY",
    "GOROOT",
    "GOSUMDB",
    "GOTOOLCHAIN",
    "GRADLE_OPTS",
    "GRADLE_USER_HOME",
    "GST_PLUGIN_PATH",
    "GTK_MODULES",
    "GTK_PATH",
    "GUILE_LOAD_PATH",
    "HELM_PLUGINS",
    "HGRCPATH",
    "HISTFILE",
    "HOME",
    "HOSTALIASES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "INPUTRC",
    "JAVA_HOME",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JULIA_DEPOT_PATH",
    "JULIA_LOAD_PATH",
    "JULIA_PROJECT",
    "KRB5_CONFIG",
    "KUBECONFIG",
    "LANG",
    "LANGUAGE",
    "LDAPCONF",
    "LDFLAGS",
    "LESS",
    "LESSCLOSE",
    "LESSKEY",
    "LESSOPEN",
    "LIBPATH",
    "LIBRARY_PATH",
    "LOCALDOMAIN",
    "LOCPATH",
    "LOGNAME",
    "MAIL",
    "MAKEFILES",
    "MAKEFLAGS",
    "MANPAGER",
    "MANPATH",
    "MAVEN_ARGS",
    "MAVEN_OPTS",
    "MFLAGS",
    "MYSQL_HOME",
    "NETRC",
    "NIS_PATH",
    "NLSPATH",
    "NO_PROXY",
    "OCAMLRUNPARAM",
    "ODBCINI",
    "ODBCSYSINI",
    "OLDPWD",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH",
    "PERLLIB",
    "PGPASSFILE",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "PKG_CONFIG_PATH",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PWD",
    "QT_PLUGIN_PATH",
    "REQUESTS_CA_BUNDLE",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "RSYNC_RSH",
    "R_ENVIRON",
    "R_ENVIRON_USER",
    "R_PROFILE",
    "R_PROFILE_USER",
    "SASL_PATH",
    "SBT_OPTS",
    "SHELL",
    "SHELLOPTS",
    "SHLIB_PATH",
    "SHLVL",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "SSLKEYLOGFILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SUDO_ASKPASS",
    "SUDO_EDITOR",
    "SVN_SSH",
    "TCLLIBPATH",
    "TEMP",
    "TERM",
    "TERMCAP",
    "TERMINFO",
    "TERMINFO_DIRS",
    "TF_CLI_CONFIG_FILE",
    "TMP",
    "TMPDIR",
    "TMUX_TMPDIR",
    "TNS_ADMIN",
    "TZ",
    "TZDIR",
    "USER",
    "VAULT_ADDR",
    "VAULT_CACERT",
    "VAULT_CAPATH",
    "VAULT_SKIP_VERIFY",
    "VIMINIT",
    "VIRTUAL_ENV",
    "VISUAL",
    "WGETRC",
    "ZDOTDIR",
    "_",
    "_JAVA_OPTIONS",
    "__PYVENV_LAUNCHER__",
];

/// Beginnings of such names; [`CREDENTIALS`] may begin so.
const RESERVED_BEGINNINGS: [&str; 33] = [
    "AWS_ENDPOINT_URL",
    "BASH_FUNC_",
    "CARGO_BUILD_",
    "CARGO_TARGET_",
    "CONDA_",
    "CORECLR_",
    "CPLUS_INCLUDE_",
    "C_INCLUDE_",
    "DOTNET_",
    "DYLD_",
    "GIT_",
    "GLIBC_",
    "JUPYTER_",
    "LC_",
    "LD_",
    "LUA_",
    "MALLOC_",
    "NODE_",
    "NPM_CONFIG_",
    "OBJC_INCLUDE_",
    "PERL5",
    "PERL_",
    "PHPRC",
    "PHP_INI_",
    "PIP_",
    "PYTHON",
    "RUBY",
    "RUSTC",
    "RUSTUP_",
    "SYSTEMD_",
    "TF_CLI_ARGS",
    "UV_",
    "XDG_",
];

/// What names of credentials end with: no program is steered by one, but for those in [`RESERVED`], which name files.
const CREDENTIALS: [&str; 4] = ["_KEY", "_PASSWORD", "_SECRET", "_TOKEN"];

/// Beginnings of our own variables and of those that existing clients have: their credentials say as whom the next command acts.
const OWN_BEGINNINGS: [&str; 2] = ["STRONGROOM_", "THALASSA_"];

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
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    let is_credential = CREDENTIALS.iter().any(|end| name.ends_with(end));
    RESERVED.contains(&name) || begins(&OWN_BEGINNINGS) || (begins(&RESERVED_BEGINNINGS) && !is_credential)
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
        for name in [
            "PATH",
            "LD_PRELOAD",
            "DYLD_INSERT_LIBRARIES",
            "BASH_ENV",
            "PYTHONPATH",
            "NODE_OPTIONS",
            "IFS",
            "XDG_CONFIG_HOME",
            "XDG_DATA_DIRS",
            "DOTNET_STARTUP_HOOKS",
            "PERLLIB",
            "RUSTC",
            "RUSTC_WRAPPER",
            "MAKEFLAGS",
            "GEM_PATH",
            "BUNDLE_GEMFILE",
            "KUBECONFIG",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "THALASSA_API_ENDPOINT",
            "THALASSA_API_TOKEN",
            "STRONGROOM_TOKEN",
            "STRONGROOM_KMS_KEY",
            "SSLKEYLOGFILE",
            "PGPASSFILE",
            "PGSERVICEFILE",
            "PROMPT_COMMAND",
            "PS0",
            "PS1",
            "PS2",
            "PS4",
            "R_PROFILE_USER",
            "JULIA_LOAD_PATH",
            "GHC_PACKAGE_PATH",
            "ANSIBLE_CONFIG",
            "TNS_ADMIN",
            "GIT_SSL_KEY",
            "GIT_PROXY_SSL_KEY",
            "CONDA_CLIENT_SSL_CERT_KEY",
            "GIT_CONFIG_KEY_0",
            "GIT_ASKPASS",
            "PIP_INDEX_URL",
            "NODE_TOKEN_FILE",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "DB_PASSWORD",
            "TOKEN",
            "PATHS",
            "LDAP_PASSWORD",
            "HOMEPAGE",
            "AWS_SECRET_ACCESS_KEY",
            "VAULT_TOKEN",
            "CARGO_REGISTRY_TOKEN",
            "TF_VAR_PASSWORD",
            "PIP_PASSWORD",
            "NODE_AUTH_TOKEN",
            "GIT_TOKEN",
            "UV_PUBLISH_TOKEN",
            "RUBYGEMS_API_KEY",
            "CONDA_CLIENT_SECRET",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
