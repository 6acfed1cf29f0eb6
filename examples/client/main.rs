//! A worker that keeps its secrets up to date: it takes everything below a directory of a running server, and looks every second what is
//! new. What it knows already is neither revealed nor sent again, so that looking costs next to nothing.
//!
//! `client DIRECTORY`, with `STRONGROOM_ADDR`, `STRONGROOM_TOKEN`, `STRONGROOM_ORGANISATION` and `STRONGROOM_REGION` in its environment. It
//! prints which secrets changed, never their values. SIGTERM stops it.

mod settings;

use core::time::Duration;
use settings::Settings;
use std::io::Write;
use strongroom_client::{Client, Credentials, Sensitive};
use strongroom_examples::{Failure, stop_signal};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let directory = std::env::args().nth(1).ok_or("usage: client DIRECTORY")?;
    let client = Client::builder(variable("STRONGROOM_ADDR")?)
        .credentials(Credentials::Token(Sensitive::from(variable("STRONGROOM_TOKEN")?)))
        .organisation(variable("STRONGROOM_ORGANISATION")?)
        .build()?;
    let mut settings = Settings::below(&directory, client.secrets(variable("STRONGROOM_REGION")?));
    let mut stop = core::pin::pin!(stop_signal()?);
    loop {
        let mut changes = Vec::new();
        let outcome = settings.refresh(&mut changes).await;
        changes.iter().try_for_each(|change| tell(change))?;
        match outcome {
            Ok(()) => {}
            // It works on with what it has: secrets that were right a second ago are better than none.
            Err(error) if error.is_unavailable() => tell(&format!("no news: {error}"))?,
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("{name} is not set; `strongroomd dev` writes it to dev.env").into())
}

fn tell(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}
