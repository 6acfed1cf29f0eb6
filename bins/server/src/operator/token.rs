//! Finds the operator's token.

use crate::data_dir::DataDir;
use crate::failure::Failure;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The environment variable that holds it.
const VARIABLE: &str = "STRONGROOM_OPERATOR_TOKEN";
/// Where `dev` keeps its data unless it is told otherwise.
const DATA: &str = "./strongroom-data";

/// The operator's token, and where it was found.
pub(super) struct OperatorToken {
    token: SecretBytes,
    source: String,
}

impl OperatorToken {
    pub(super) fn expose(&self) -> &[u8] {
        self.token.expose()
    }

    /// Where it was found, for messages.
    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

/// What the command line names goes before the environment.
pub(super) fn find(file: Option<PathBuf>, data: Option<PathBuf>) -> Result<OperatorToken, Failure> {
    if let Some(file) = file.or_else(|| data.map(|data| DataDir::operator_token_in(&data))) {
        return read(&file);
    }
    match std::env::var_os(VARIABLE) {
        Some(text) if !text.is_empty() => {
            let text = Zeroizing::new(text.into_vec());
            Ok(OperatorToken { token: SecretBytes::copy_of(text.trim_ascii()), source: VARIABLE.to_owned() })
        }
        _ => read(&DataDir::operator_token_in(Path::new(DATA))),
    }
}

fn read(file: &Path) -> Result<OperatorToken, Failure> {
    let text = std::fs::read(file).map(Zeroizing::new).map_err(|error| {
        let message = format!(
            "the operator's token cannot be read from {}; name its file with --token-file or the data directory with --data, or put the \
             token into {VARIABLE}",
            file.display()
        );
        Failure::runtime(message).because(error)
    })?;
    let token = text.trim_ascii();
    if token.is_empty() {
        return Err(Failure::runtime(format!("{} holds no token", file.display())));
    }
    Ok(OperatorToken { token: SecretBytes::copy_of(token), source: file.display().to_string() })
}
