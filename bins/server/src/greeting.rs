//! What `dev` says when it is ready.

use core::net::SocketAddr;
use std::path::Path;

const TEMPLATE: &str = include_str!("greeting.txt");

/// The greeting. It names the file that holds the token, never the token.
pub(crate) fn greeting(address: SocketAddr, data: &Path, dev_env: &Path, note: Option<&str>) -> String {
    let note = note.map(|note| format!("{note}\n")).unwrap_or_default();
    TEMPLATE
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@ADDRESS@", &format!("http://{address}"))
        .replace("@DATA@", &data.display().to_string())
        .replace("@DEV_ENV@", &quoted(dev_env))
        .replace("@NOTE@\n", &note)
}

/// A path as a shell takes it, in quotes only where it needs them.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'+');
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::greeting;
    use std::path::Path;

    #[test]
    fn leaves_no_placeholder() {
        let address = "127.0.0.1:8200".parse().expect("an address");
        let text = greeting(address, Path::new("/d"), Path::new("/d/dev.env"), None);
        assert!(!text.contains('@'), "{text}");
        assert!(text.contains("at http://127.0.0.1:8200;"), "{text}");
        assert!(text.contains("\n    . /d/dev.env\n"), "{text}");
        let text = greeting(address, Path::new("/d"), Path::new("/it's/dev.env"), Some("A note."));
        assert!(text.contains("\nA note.\n"), "{text}");
        assert!(text.contains(r"    . '/it'\''s/dev.env'"), "{text}");
    }
}
