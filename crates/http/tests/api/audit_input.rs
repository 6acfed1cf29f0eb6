//! `/v1/audit` and its export with parameters that are wrong, one after the other.

use crate::support::{Room, assert_error};
use http::StatusCode;

/// Each filter's bad values, and what the refusal says.
const BAD: [(&str, &str); 36] = [
    ("action=nothing", "there is no `nothing`"),
    ("action=secret", "there is no `secret`"),
    ("action=secret.*", "there is no `secret.*`"),
    ("action=SECRET.READ", "there is no `SECRET.READ`"),
    ("action=secret.read%00", "NUL"),
    ("action=secret.read;kms.read", "there is no"),
    ("action=secret.read,kms.nothing", "there is no `kms.nothing`"),
    ("action=secret.read&action=kms.read", "stands twice"),
    ("resourceType=nothing", "the types are"),
    ("resourceType=Secret", "there is no `Secret`"),
    ("resourceType=secret,,x", "there is no `x`"),
    ("responseStatus=0", "`responseStatus`"),
    ("responseStatus=99", "`responseStatus`"),
    ("responseStatus=600", "`responseStatus`"),
    ("responseStatus=65736", "`responseStatus`"),
    ("responseStatus=-200", "`responseStatus`"),
    ("responseStatus=+200", "`responseStatus`"),
    ("responseStatus=2e2", "`responseStatus`"),
    ("responseStatus=4xx", "`responseStatus`"),
    ("responseStatus=200,403", "`responseStatus`"),
    ("responseStatus=99999999999999999999", "`responseStatus`"),
    ("includeSystemServices=yes", "`includeSystemServices`"),
    ("includeSystemServices=True", "`includeSystemServices`"),
    ("includeSystemServices=2", "`includeSystemServices`"),
    ("from=yesterday", "`from`"),
    ("from=2026-01-01", "`from`"),
    ("from=2026-01-01T00:00:00", "`from`"),
    ("from=2026-02-30T00:00:00Z", "`from`"),
    ("from=1767225600", "`from`"),
    ("to=2026-01-01T24:00:01Z", "`to`"),
    ("to=2026-01-01T00:00:00+25:00", "`to`"),
    ("to=now", "`to`"),
    ("from=2026-01-02T00:00:00Z&to=2026-01-01T23:59:59.999999Z", "`from` is after `to`"),
    ("searchText=%ff", "UTF-8"),
    ("userIdentity=%2", "%"),
    ("from=2026-01-01T00:00:00Z&from=2026-01-01T00:00:00Z", "stands twice"),
];

const PAGING: [(&str, &str); 15] = [
    ("page=x", "`page`"),
    ("page=-1", "`page`"),
    ("page=1.5", "`page`"),
    ("page=%2B1", "`page`"),
    ("page=1&page=2", "stands twice"),
    ("limit=x", "`limit`"),
    ("limit=-1", "`limit`"),
    ("limit=1e3", "`limit`"),
    ("limit=%201", "`limit`"),
    ("cursor=%21", "`cursor`"),
    ("cursor=YQ", "`cursor`"),
    // Of a time that there isn't, of an event that is none, with more behind it, and what another list gave.
    ("cursor=eCBldnQtMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw", "`cursor`"),
    ("cursor=MSBldnQteA", "`cursor`"),
    ("cursor=MSBldnQtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAgeA", "`cursor`"),
    ("page=2&cursor=MSBldnQtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA", "either `page` or `cursor`"),
];

async fn refused(room: &Room, url: &str, action: &str, part: &str) {
    let before = room.records_after(0).await.len();
    let reply = room.get(url).await;
    assert_eq!(reply.status, 400, "{url}");
    assert_error(&reply, StatusCode::BAD_REQUEST, "invalid_request");
    assert!(reply.message().contains(part), "{url}: {}", reply.message());
    let told: Vec<_> = room
        .records_after(before)
        .await
        .iter()
        .map(|it| (it.action.as_str(), it.outcome.as_str(), it.status))
        .collect();
    // A URL that can't be read is refused before anybody knows who calls, as everywhere.
    let is_read = !["twice", "NUL", "UTF-8", "%"].iter().any(|it| part.ends_with(it));
    let wanted = [(action, "failure", 400)];
    assert_eq!(told, wanted[..usize::from(is_read)], "{url}");
}

#[tokio::test]
async fn every_filter_refuses_what_it_cannot_mean() {
    let room = Room::new().await;
    for (path, action) in [("/v1/audit", "audit.read"), ("/v1/audit/export", "audit.export")] {
        for (query, part) in BAD {
            refused(&room, &format!("{path}?{query}"), action, part).await;
        }
        for name in
            ["serviceAccount", "userIdentity", "impersonatorIdentity", "resourceIdentity", "organizationIdentity"]
        {
            let (most, long) = ("x".repeat(512), "é".repeat(257));
            assert_eq!(room.get(&format!("{path}?{name}={most}")).await.status, 200, "{name}");
            refused(&room, &format!("{path}?{name}={long}"), action, "at most 512 bytes").await;
        }
        let (most, long) = ("%C3%A9".repeat(256), "x".repeat(257));
        assert_eq!(room.get(&format!("{path}?searchText={most}")).await.status, 200);
        refused(&room, &format!("{path}?searchText={long}"), action, "at most 256 characters").await;
        for name in ["action", "resourceType"] {
            let many: Vec<_> = (0..65).map(|n| format!("a{n}")).collect();
            refused(&room, &format!("{path}?{name}={}", many.join(",")), action, "at most 64 names").await;
        }
    }
}

#[tokio::test]
async fn pages_are_whole_numbers_and_cursors_our_own() {
    let room = Room::new().await;
    for (query, part) in PAGING {
        refused(&room, &format!("/v1/audit?{query}"), "audit.read", part).await;
    }
    // As clients send them who mean nothing by it, or more than there is.
    for query in ["page=0", "limit=0", "page=4294967296", "limit=18446744073709551616", "page=4294967295&limit=1000"] {
        let reply = room.get(&format!("/v1/audit?{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.message());
    }
}

/// Nothing is wrong with these, though they are unusual.
#[tokio::test]
async fn what_is_unusual_and_legal_is_taken() {
    let room = Room::new().await;
    for (path, sizes) in [("/v1/audit", "&limit=1"), ("/v1/audit/export", "")] {
        for query in [
            "action=",
            "action=,,",
            "action=secret.read,secret.read",
            "resourceType=",
            "responseStatus=",
            "responseStatus=00403",
            "includeSystemServices=",
            "includeSystemServices=0",
            "includeSystemServices=1",
            "from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
            "from=0001-01-01T00:00:00Z",
            "from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999999Z",
            "to=1969-12-31T23:59:59Z",
            "from=2026-01-01T00:00:00+01:00",
            "searchText=%F0%9F%94%91",
            "searchText=%25",
            "userIdentity=usr-nobody",
            "organizationIdentity=",
            "unknown=1",
        ] {
            let reply = room.get(&format!("{path}?{query}{sizes}")).await;
            assert_eq!(reply.status, 200, "{path}?{query}: {}", reply.message());
        }
    }
}
