//! Finds the token that a command calls a server with.

use crate::data_dir::DataDir;
use crate::failure::Failure;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The environment variable that holds the operator's.
const VARIABLE: &str = "STRONGROOM_OPERATOR_TOKEN";
/// Where `dev` keeps its data unless it is told otherwise.
const DATA: &str = "./strongroom-data";

/// A token, and where it was found.
pub(crate) struct BearerToken {
    token: SecretBytes,
    source: String,
}

impl BearerToken {
    /// The token in the file that the command line names, else in this environment variable.
    pub(crate) fn find(file: Option<PathBuf>, variable: &str) -> Result<Self, Failure> {
        let absent = || {
            Failure::runtime(format!("there is no token; put it into {variable}, or name its file with --token-file"))
        };
        match file {
            Some(file) => Self::read(&file, &format!("the token cannot be read from {}", file.display())),
            None => Self::of_variable(variable).ok_or_else(absent),
        }
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.token.expose()
    }

    /// Where it was found, for messages.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    fn of_variable(variable: &str) -> Option<Self> {
        let text = std::env::var_os(variable).filter(|text| !text.is_empty())?;
        let text = Zeroizing::new(text.into_vec());
        Some(Self { token: SecretBytes::copy_of(text.trim_ascii()), source: variable.to_owned() })
    }

    fn read(file: &Path, unreadable: &str) -> Result<Self, Failure> {
        let text =
            std::fs::read(file).map(Zeroizing::new).map_err(|error| Failure::runtime(unreadable).because(error))?;
        let token = text.trim_ascii();
        if token.is_empty() {
            return Err(Failure::runtime(format!("{} holds no token", file.display())));
        }
        Ok(Self { token: SecretBytes::copy_of(token), source: file.display().to_string() })
    }
}

/// The operator's. What the command line names goes before the environment.
pub(crate) fn find(file: Option<PathBuf>, data: Option<PathBuf>) -> Result<BearerToken, Failure> {
    if let Some(file) = file.or_else(|| data.map(|data| DataDir::operator_token_in(&data))) {
        return read(&file);
    }
    match BearerToken::of_variable(VARIABLE) {
        Some(token) => Ok(token),
        None => read(&DataDir::operator_token_in(Path::new(DATA))),
    }
}

fn read(file: &Path) -> Result<BearerToken, Failure> {
    let unreadable = format!(
        "the operator's token cannot be read from {}; name its file with --token-file or the data directory with --data, or put the \
         token into {VARIABLE}",
        file.display()
    );
    BearerToken::read(file, &unreadable)
}
