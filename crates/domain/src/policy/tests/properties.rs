use super::*;
use crate::document::tests::documents;
use proptest::prelude::*;
use proptest::sample::select;

#[derive(Clone, Debug)]
enum Plain {
    Ip(Vec<&'static str>),
    Hours(i64, i64, &'static str),
}

fn plain_conditions() -> impl Strategy<Value = Vec<(bool, Plain)>> {
    let blocks = select(&["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"][..]);
    let zones = select(&["UTC", "Europe/Amsterdam", "Asia/Kathmandu"][..]);
    let one = prop_oneof![
        proptest::collection::vec(blocks, 1..3).prop_map(Plain::Ip),
        (0_i64..24, 1_i64..24, zones).prop_map(|(start, length, zone)| Plain::Hours(
            start,
            (start + length) % 24,
            zone
        )),
    ];
    proptest::collection::vec((any::<bool>(), one), 1..6)
}

fn as_conditions(plain: &[(bool, Plain)]) -> AccessPolicy {
    let entry = |(deny, plain): &(bool, Plain)| {
        let effect = if *deny { "deny" } else { "allow" };
        match plain {
            Plain::Ip(blocks) => ip(effect, blocks),
            Plain::Hours(start, end, zone) => hours(effect, *start, *end, zone),
        }
    };
    conditions(plain.iter().map(entry).collect())
}

fn as_lists(plain: &[(bool, Plain)]) -> AccessPolicy {
    let list = |wanted: bool| {
        let entries = plain.iter().filter(|(deny, _)| *deny == wanted).map(|(_, plain)| match plain {
            Plain::Ip(blocks) => map(vec![("type", text("ip")), ("ips", texts(blocks))]),
            Plain::Hours(start, end, zone) => {
                map(vec![("type", text("time")), ("time", map(window(*start, *end, zone)))])
            }
        });
        Document::List(entries.collect())
    };
    policy(map(vec![("allowed", list(false)), ("denied", list(true))]))
}

fn asks() -> impl Strategy<Value = Ask> {
    let clients =
        select(&[None, Some("10.1.2.3"), Some("192.0.2.7"), Some("2001:db8::9"), Some("::ffff:10.9.9.9")][..]);
    (clients, 0_i64..400 * 86_400, any::<bool>()).prop_map(|(client, seconds, put)| Ask {
        operation: if put { PolicyOperation::Put } else { PolicyOperation::Reveal },
        at: at("2026-01-01T00:00:00Z").plus_seconds(seconds),
        client,
        ..Ask::default()
    })
}

impl core::fmt::Debug for Ask {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?} {} {:?}", self.operation, self.at, self.client)
    }
}

/// Documents that often come near to a policy.
fn near_policies() -> impl Strategy<Value = Document> {
    let words = select(
        &[
            "ip",
            "time",
            "allow",
            "Deny",
            "UTC",
            "Europe/Amsterdam",
            "10.0.0.0/8",
            "::1",
            "read",
            "*",
            "user:x",
            "team:y",
        ][..],
    );
    let names = select(
        &[
            "conditions",
            "statements",
            "allowed",
            "denied",
            "type",
            "effect",
            "cidrs",
            "ips",
            "time",
            "startHour",
            "endHour",
            "timezone",
            "actions",
            "principals",
        ][..],
    );
    let leaf = prop_oneof![
        1 => Just(Document::Null),
        3 => (-1_i64..26).prop_map(Document::Integer),
        6 => words.prop_map(text),
        1 => "\\PC{0,6}".prop_map(Document::Text),
    ];
    documents(leaf, names.prop_map(str::to_owned))
}

/// Members of an entry in any order, some left out.
fn near_entries() -> impl Strategy<Value = Document> {
    let members = |entry| {
        let Document::Map(members) = entry else { return Vec::new() };
        members
    };
    let ips =
        select(&["10.0.0.0/8", "::1", "10.0.0.1/8", "x"][..]).prop_map(move |block| members(ip("allow", &[block])));
    let windows = (0_i64..26, 0_i64..26).prop_map(move |(start, end)| members(hours("deny", start, end, "UTC")));
    let stated = select(&["read", "*", "x"][..]).prop_map(move |action| members(statement("deny", &[action], &["*"])));
    let kept = prop_oneof![ips, windows, stated]
        .prop_flat_map(|members| {
            proptest::sample::subsequence(members.clone(), members.len().saturating_sub(1)..=members.len())
        })
        .prop_shuffle();
    let list = select(&["conditions", "statements", "allowed"][..]);
    (list, proptest::collection::vec(kept, 1..3))
        .prop_map(|(list, entries)| map(vec![(list, Document::List(entries.into_iter().map(Document::Map).collect()))]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn both_shapes_of_conditions_decide_alike(plain in plain_conditions(), ask in asks()) {
        let (flat, nested) = (as_conditions(&plain), as_lists(&plain));
        prop_assert_eq!(ask.allowed(&flat), ask.allowed(&nested));
    }

    #[test]
    fn a_deny_that_matches_wins(plain in plain_conditions(), ask in asks()) {
        let denied_alone = plain.iter().any(|(deny, one)| *deny && !ask.allowed(&as_conditions(&[(true, one.clone())])));
        let allowed = ask.allowed(&as_conditions(&plain));
        prop_assert!(!(denied_alone && allowed));
        let allows: Vec<_> = plain.iter().filter(|(deny, _)| !deny).cloned().collect();
        let one_allows = allows.is_empty() || allows.iter().any(|one| ask.allowed(&as_conditions(core::slice::from_ref(one))));
        prop_assert_eq!(allowed, !denied_alone && one_allows);
    }

    #[test]
    fn what_is_accepted_comes_back_as_it_was(document in prop_oneof![near_policies(), near_entries()]) {
        if let Ok(Some(policy)) = AccessPolicy::parse(document.clone()) {
            prop_assert_eq!(policy.document(), &document);
            let stored = Document::decode(&document.encode()).expect("stored");
            prop_assert_eq!(AccessPolicy::parse(stored), Ok(Some(policy)));
        }
    }
}
