//! `dev.env`: what a shell needs to call a development server.

use core::fmt::Write;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

const TOKEN: &str = "STRONGROOM_TOKEN";

/// The variables of one development server.
pub(crate) struct DevEnv<'a> {
    /// The base URL.
    pub(crate) address: &'a str,
    pub(crate) token: &'a SecretBytes,
    pub(crate) organisation: &'a str,
    pub(crate) region: &'a str,
    /// The identity of the KMS key.
    pub(crate) kms_key: &'a str,
}

impl DevEnv<'_> {
    /// As a shell reads it. No value needs quoting: tokens, identities, slugs and addresses have no character that a shell
    /// would take for its own in an assignment.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let token = str::from_utf8(self.token.expose()).unwrap_or_default();
        // Large enough that it never moves and leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(1024));
        let lines = [
            ("STRONGROOM_ADDR", self.address),
            (TOKEN, token),
            ("STRONGROOM_ORGANISATION", self.organisation),
            ("STRONGROOM_REGION", self.region),
            ("STRONGROOM_KMS_KEY", self.kms_key),
        ];
        for (name, value) in lines {
            // Writing to a string does not fail.
            let _ = writeln!(text, "export {name}={value}");
        }
        text
    }
}

/// The token that a `dev.env` holds.
pub(crate) fn token_in(text: &[u8]) -> Option<SecretBytes> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let token = line.strip_prefix(b"export ")?.strip_prefix(TOKEN.as_bytes())?.strip_prefix(b"=")?;
        (!token.is_empty()).then(|| SecretBytes::copy_of(token.trim_ascii_end()))
    })
}

#[cfg(test)]
mod tests {
    use super::{DevEnv, token_in};
    use std::process::Command;
    use strongroom_domain::value::SecretBytes;

    fn text() -> String {
        let token = SecretBytes::copy_of(b"tc_pat_A-z_0123456789012345678901234567890123456789");
        let env = DevEnv {
            address: "http://[::1]:8200",
            token: &token,
            organisation: "dev",
            region: "nl-01",
            kms_key: "kms-0123456789abcdefghijklmnop",
        };
        env.to_text().to_string()
    }

    #[test]
    fn a_shell_reads_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("dev.env");
        std::fs::write(&file, text()).expect("written");
        let out = Command::new("sh")
            .args(["-euc", ". \"$0\"; env | grep ^STRONGROOM_ | sort"])
            .arg(&file)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .output()
            .expect("a shell");
        let expected = "STRONGROOM_ADDR=http://[::1]:8200\n\
            STRONGROOM_KMS_KEY=kms-0123456789abcdefghijklmnop\n\
            STRONGROOM_ORGANISATION=dev\n\
            STRONGROOM_REGION=nl-01\n\
            STRONGROOM_TOKEN=tc_pat_A-z_0123456789012345678901234567890123456789\n";
        assert_eq!(String::from_utf8(out.stdout).expect("text"), expected);
    }

    #[test]
    fn the_token_is_found_again() {
        let token = token_in(text().as_bytes()).expect("it is there");
        assert_eq!(token.expose(), b"tc_pat_A-z_0123456789012345678901234567890123456789");
        for without in ["", "export STRONGROOM_TOKEN=\n", "STRONGROOM_TOKEN=x", "export STRONGROOM_TOKENS=x\n"] {
            assert!(token_in(without.as_bytes()).is_none(), "{without:?}");
        }
    }
}
