//! Which records are asked for, as the query of the URL says it.

use crate::cursor;
use crate::failure::Failure;
use crate::json::quoted;
use crate::pages::CURSOR;
use crate::query::{Query, whole_number};
use std::collections::BTreeSet;
use strongroom::audit::{AuditCursor, AuditFilter};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::Expiry;
use strongroom_domain::time::Timestamp;

/// The longest text that is looked for, in characters.
const MAX_TEXT: usize = 256;
/// The longest name of something, in bytes: a secret's path is the longest.
const MAX_NAME: usize = 512;
/// The most names in a list.
const MAX_LISTED: usize = 64;

/// Reads the filter. An empty parameter counts as missing.
pub(crate) fn read(query: &Query) -> Result<AuditFilter, Failure> {
    let search_text = query.filled("searchText");
    if search_text.is_some_and(|text| text.chars().count() > MAX_TEXT) {
        return Err(Failure::invalid(format!("The query parameter `searchText` has at most {MAX_TEXT} characters.")));
    }
    let (from, to) = (time(query, "from")?, time(query, "to")?);
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Failure::invalid("`from` is after `to`; exchange them."));
    }
    Ok(AuditFilter {
        search_text: search_text.map(str::to_owned),
        service_account: name(query, "serviceAccount")?,
        user: name(query, "userIdentity")?,
        impersonator: name(query, "impersonatorIdentity")?,
        resource: name(query, "resourceIdentity")?,
        organisation: name(query, "organizationIdentity")?,
        actions: listed(query, "action", Action::from_name, unknown_action)?,
        kinds: listed(query, "resourceType", ResourceKind::from_name, unknown_kind)?,
        status: status(query)?,
        include_system: query.switch("includeSystemServices")?,
        from,
        to,
    })
}

/// Reads a cursor that we gave.
pub(crate) fn cursor(text: &str) -> Result<AuditCursor, Failure> {
    cursor::read(CURSOR, text)?.parse().map_err(|_| cursor::unknown(CURSOR))
}

fn name(query: &Query, parameter: &str) -> Result<Option<String>, Failure> {
    match query.filled(parameter) {
        Some(text) if text.len() > MAX_NAME => {
            Err(Failure::invalid(format!("The query parameter `{parameter}` has at most {MAX_NAME} bytes.")))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn time(query: &Query, parameter: &str) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = query.filled(parameter) else { return Ok(None) };
    // A plus that wasn't encoded came as a space; a time has none.
    Expiry::parse(text.replace(' ', "+")).map(|expiry| Some(expiry.at)).map_err(|_| {
        let message = format!(
            "The query parameter `{parameter}` is a time such as `2030-12-31T23:59:59Z` (RFC 3339), not {}.",
            quoted(text)
        );
        Failure::invalid(message)
    })
}

fn status(query: &Query) -> Result<Option<u16>, Failure> {
    let Some(text) = query.filled("responseStatus") else { return Ok(None) };
    let status = whole_number(text).and_then(|status| u16::try_from(status).ok());
    status.filter(|status| (100..=599).contains(status)).map(Some).ok_or_else(|| {
        Failure::invalid(format!(
            "The query parameter `responseStatus` is an HTTP status such as `403`, not {}.",
            quoted(text)
        ))
    })
}

/// The names of a list, joined by commas.
fn listed<T>(
    query: &Query,
    parameter: &str,
    read: impl Fn(&str) -> Option<T>,
    unknown: impl Fn(&str) -> String,
) -> Result<Vec<T>, Failure> {
    let Some(text) = query.filled(parameter) else { return Ok(Vec::new()) };
    let names: BTreeSet<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.len() > MAX_LISTED {
        return Err(Failure::invalid(format!("The query parameter `{parameter}` lists at most {MAX_LISTED} names.")));
    }
    let read = |name: &str| {
        read(name).ok_or_else(|| {
            Failure::invalid(format!(
                "The query parameter `{parameter}`: there is no {}; {}.",
                quoted(name),
                unknown(name)
            ))
        })
    };
    names.into_iter().map(read).collect()
}

/// The actions that begin as this one does; else how they begin.
fn unknown_action(name: &str) -> String {
    let first = |name: &'static str| name.split('.').next().unwrap_or(name);
    let all = Action::ALL.iter().map(|action| action.as_str());
    let area = name.split('.').next().unwrap_or(name);
    let near: Vec<_> = all.clone().filter(|known| first(known) == area).collect();
    if near.is_empty() {
        let areas: BTreeSet<_> = all.map(first).collect();
        let areas: Vec<_> = areas.into_iter().collect();
        let areas = areas.join(", ");
        return format!("actions are such as `secret.value.read`, and begin with one of {areas}");
    }
    format!("those of `{area}` are {}", near.join(", "))
}

fn unknown_kind(_: &str) -> String {
    let all: Vec<_> = ResourceKind::ALL.iter().map(|kind| kind.as_str()).collect();
    format!("the types are {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::query::Query;
    use strongroom::audit::AuditFilter;
    use strongroom_domain::audit::{Action, ResourceKind};
    use strongroom_domain::time::Timestamp;

    fn filter(raw: &str) -> Result<AuditFilter, String> {
        let query = Query::parse(Some(raw)).unwrap_or_else(|failure| panic!("{raw}: {}", failure.message()));
        read(&query).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn parameters_are_read_as_clients_send_them() {
        let read = filter(
            "searchText=App&serviceAccount=ci&userIdentity=u&impersonatorIdentity=i&resourceIdentity=%2Fapp&action=secret.read,%20kms.sign,,secret.read&resourceType=secret,kms_key&organizationIdentity=dev&includeSystemServices=true&responseStatus=403&from=2026-01-01T00:00:00+01:00&to=2026-01-01T00:00:00Z",
        );
        let read = read.expect("a filter");
        assert_eq!(read.actions, [Action::KmsSign, Action::SecretRead]);
        assert_eq!(read.kinds, [ResourceKind::KmsKey, ResourceKind::Secret]);
        assert_eq!((read.status, read.include_system), (Some(403), true));
        assert_eq!(read.from.map(Timestamp::to_rfc3339).as_deref(), Some("2025-12-31T23:00:00Z"));
        let texts = [
            &read.search_text,
            &read.service_account,
            &read.user,
            &read.impersonator,
            &read.resource,
            &read.organisation,
        ];
        assert_eq!(texts.map(|text| text.as_deref().unwrap_or("")), ["App", "ci", "u", "i", "/app", "dev"]);
        assert_eq!(filter("searchText=&action=&from=&responseStatus=&page=3"), Ok(AuditFilter::default()));
    }

    #[test]
    fn what_is_unknown_is_refused_with_a_way_on() {
        let long = "x".repeat(600);
        for (raw, part) in [
            (
                "action=POST",
                "there is no `POST`; actions are such as `secret.value.read`, and begin with one of audit, auth, iam, kms",
            ),
            ("action=secret.read,kms.encode", "there is no `kms.encode`; those of `kms` are kms.create, "),
            ("resourceType=secrets", "there is no `secrets`; the types are secret, kms_key"),
            ("responseStatus=99", "`responseStatus`"),
            ("responseStatus=4o3", "not `4o3`"),
            ("from=yesterday", "RFC 3339"),
            ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "`from` is after `to`"),
            ("includeSystemServices=perhaps", "`true` or `false`"),
            (&format!("searchText={long}"), "at most 256"),
            (&format!("resourceIdentity={long}"), "at most 512"),
        ] {
            let message = filter(raw).expect_err(raw);
            assert!(message.contains(part), "{raw}: {message}");
        }
        let many: Vec<_> = (0..65).map(|n| format!("a{n}")).collect();
        assert!(filter(&format!("action={}", many.join(","))).expect_err("many").contains("at most 64"));
    }
}
