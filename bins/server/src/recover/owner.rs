//! A token for an organisation whose owners are locked out.

use super::Recovery;
use crate::failure::{Exit, Failure};
use crate::setup;
use std::io::Write;
use strongroom::recover::{OwnerToken, RecoverError, Recovered, issue_owner_token};
use strongroom_domain::port::{Clock, DirectoryReader, TenancyReader};
use strongroom_domain::value::SecretBytes;
use strongroom_system::{SystemClock, SystemIds};

/// Issues it and prints it.
pub(super) async fn run(recovery: Recovery, organisation: &str) -> Result<(), Failure> {
    let Recovery { store, location, .. } = recovery;
    let new = setup::issue(store.keys.token_digest().as_ref())?;
    let readers = (store.reader.as_ref() as &dyn TenancyReader, store.reader.as_ref() as &dyn DirectoryReader);
    let wanted = OwnerToken::of_recovery(&new);
    let at = SystemClock.now();
    let issued = issue_owner_token(readers, store.writer.as_ref(), &SystemIds, at, organisation, wanted).await;
    store.writer.close().await;
    let recovered = issued.map_err(|error| match error {
        RecoverError::UnknownOrganisation => Failure::new(
            Exit::Configuration,
            format!("there is no organisation `{organisation}` in {location}; name one by slug or identity"),
        ),
        error => Failure::runtime("no token was issued").because(error),
    })?;
    tell(&recovered, &new.token).map_err(|error| {
        Failure::runtime("the token could not be printed and is lost; run recover again").because(error)
    })
}

/// The token alone goes to standard output, so that a script can take it from there.
fn tell(recovered: &Recovered, token: &SecretBytes) -> std::io::Result<()> {
    let mut stderr = std::io::stderr().lock();
    let what = if recovered.is_new { "a new owner, as there was none" } else { "its owner" };
    let end = recovered.expires_at.map(strongroom_domain::time::Timestamp::to_rfc3339).unwrap_or_default();
    writeln!(
        stderr,
        "The token that follows acts as {what} ({}), in the organisation {} only, until {end}. The audit log tells of it.",
        recovered.owner, recovered.organisation.slug
    )?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(token.expose())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}
