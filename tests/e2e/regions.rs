//! `GET /v1/regions`.

use crate::{Served, Stage, has_members, is_time, text};
use serde_json::json;

#[test]
fn the_one_of_dev() {
    let stage = Stage::new();
    let client = &stage.client;
    let list = client.get("/v1/regions").ok(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    let region = &list[0];
    assert_eq!((&region["slug"], &region["name"]), (&json!("nl-01"), &json!("nl-01")));
    is_time(region, "createdAt");
    for name in [text(region, "identity"), "nl-01".to_owned()] {
        assert_eq!(client.get(format!("/v1/regions/{name}")).ok(200), *region);
    }
    let _ = client.get("/v1/regions/nope").error(404, "region_not_found");
    let summary = client.get("/v1/kms/summary").ok(200);
    has_members(&summary, &["featureEnabled", "regions"]);
    let expected = json!([{
        "identity": region["identity"], "name": "nl-01", "slug": "nl-01", "kmsAvailable": true,
        "totalKeys": 1, "activeKeys": 1, "disabledKeys": 0, "pendingDeletionKeys": 0,
    }]);
    assert_eq!((&summary["featureEnabled"], &summary["regions"]), (&json!(true), &expected));
}

#[test]
fn several() {
    let served = Served::new("nl-01", "[regions.nl-01]\n[regions.de-01]\n[regions.at-01]");
    let list = served.client.get("/v1/regions").ok(200);
    let slugs: Vec<_> = list.as_array().expect("a list").iter().map(|region| text(region, "slug")).collect();
    assert_eq!(slugs, ["at-01", "de-01", "nl-01"]);
    served.server.stop();
}
