use super::filter;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::{Attempt, Call};
use crate::convert;
use crate::cursor;
use crate::failure::Failure;
use crate::json::quoted;
use crate::pages::CURSOR;
use http::StatusCode;
use strongroom::audit::{AuditQuery, MAX_AUDIT_PAGE};
use strongroom_domain::audit::{Action, ResourceKind};

/// What a page has when nothing is said.
const USUAL_LIMIT: u32 = 100;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_iam(Action::AuditRead, ResourceKind::AuditLog).await?;
    let operation = call.engine.audit(session).await?;
    let page = operation.run(&query(call)?).await?;
    let cursor = page.next.map(|next| cursor::write(&next.to_string()));
    let next = cursor.as_deref().map(|cursor| call.next_link(CURSOR, cursor, "page"));
    let body = convert::audit_page(&page, session.organisation(), cursor);
    Ok(Answer::json(StatusCode::OK, &body)?.linked(next.as_deref()))
}

fn query(call: &Call) -> Result<AuditQuery, Failure> {
    let cursor = call.query.filled(CURSOR).map(filter::cursor).transpose()?;
    let page = number(call, "page")?.unwrap_or(1);
    if cursor.is_some() && page > 1 {
        return Err(Failure::invalid("Give either `page` or `cursor`: a cursor says by itself where to go on."));
    }
    // Existing clients ask for more than there is in a page; they are told what they get.
    let limit = number(call, "limit")?.unwrap_or(USUAL_LIMIT).min(MAX_AUDIT_PAGE);
    Ok(AuditQuery { filter: filter::read(&call.query)?, page, limit, cursor })
}

/// A whole number; 0 counts as missing, as clients mean it.
fn number(call: &Call, name: &str) -> Result<Option<u32>, Failure> {
    let Some(text) = call.query.filled(name) else { return Ok(None) };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("The query parameter `{name}` is a whole number from 1, not {}.", quoted(text));
        return Err(Failure::invalid(message));
    }
    Ok(Some(text.parse().unwrap_or(u32::MAX)).filter(|number| *number > 0))
}
