//! A new token of the operator, when theirs is lost or has become known.

use super::Recovery;
use crate::failure::Failure;
use crate::setup;
use crate::store::OpenStore;
use std::io::Write;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, Resource, ResourceKind};
use strongroom_domain::directory::Scopes;
use strongroom_domain::id::{CredentialId, EventId};
use strongroom_domain::port::{Clock, IdGenerator, NewToken, TokenReader};
use strongroom_domain::principal::{Token, TokenHolder};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_system::{SystemClock, SystemIds};
use zeroize::Zeroizing;

/// Issues it, revokes the one in the file of the operator's token, and puts the new one there.
pub(super) async fn run(recovery: Recovery) -> Result<(), Failure> {
    let Recovery { store, data, .. } = recovery;
    let file = data.operator_token();
    let held = std::fs::read(&file).ok().map(Zeroizing::new);
    let new = setup::issue_of_operator(store.keys.token_digest().as_ref())?;
    let issued = issue(&store, held.as_deref().map(Vec::as_slice), &new, SystemClock.now()).await;
    store.writer.close().await;
    let is_replaced = issued?;
    data.write_operator_token(new.token.expose()).map_err(|error| {
        let message = format!("the token could not be written to {} and is lost; run recover again", file.display());
        Failure::runtime(message).because(error)
    })?;
    let old = if is_replaced { "; the one that stood there is revoked" } else { "" };
    let text = format!("The operator's new token is in {}{old}. The audit log tells of it.", file.display());
    // It was done, whether it is told or not.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    Ok(())
}

/// Stores the new token and removes the one that was held, if the store knows it; tells whether it did.
async fn issue(store: &OpenStore, held: Option<&[u8]>, new: &NewToken, at: Timestamp) -> Result<bool, Failure> {
    let old = match held {
        Some(held) => {
            let digest = store.keys.token_digest().digest(held.trim_ascii());
            let found = TokenReader::by_digest(store.reader.as_ref(), &digest).await;
            found.map_err(|error| Failure::runtime("the store cannot be read").because(error))?
        }
        None => None,
    };
    let old = old.filter(|token| token.holder == TokenHolder::Operator);
    let id = CredentialId::new(SystemIds.next());
    let token = Token {
        id,
        digest: new.digest,
        digest_key_version: new.digest_key_version,
        holder: TokenHolder::Operator,
        organisation: None,
        name: "operator".to_owned(),
        scopes: Scopes::default(),
        created_at: at,
        expires: None,
    };
    let is_replaced = old.is_some();
    let changes =
        [Change::InsertToken(token)].into_iter().chain(old.map(|token| Change::DeleteToken { id: token.id })).collect();
    let unit = Unit { changes, records: vec![record(id, at)], ..Unit::default() };
    let committed = store.writer.as_ref().commit(unit).await;
    committed.map_err(|error| Failure::runtime("no token was issued").because(error))?;
    Ok(is_replaced)
}

fn record(id: CredentialId, at: Timestamp) -> AuditRecord {
    AuditRecord {
        event: EventId::new(SystemIds.next()),
        at,
        action: Action::SystemRecover,
        outcome: Outcome::Success,
        status: 200,
        organisation: None,
        region: None,
        project: None,
        principal: None,
        credential: Some(id),
        resource: Some(Resource {
            kind: ResourceKind::PersonalToken,
            identity: id.to_string(),
            id: Some(id.uuid()),
            version: None,
        }),
        decided_by: None,
        request: None,
        details: None,
    }
}
