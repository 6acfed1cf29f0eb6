use super::{AccessPolicy, PolicyDecision, PolicyOperation, PolicyRequest, PolicySubject, PolicyTeam};
use crate::document::Document;
use crate::document::tests::documents;
use crate::time::Timestamp;
use core::net::IpAddr;
use proptest::prelude::*;
use proptest::sample::select;

const USER: &str = "u-00000000000000000000000001";
const ROBOT: &str = "sa-00000000000000000000000001";
const TEAM: &str = "team-00000000000000000000000001";

fn text(text: &str) -> Document {
    Document::Text(text.to_owned())
}

fn texts(items: &[&str]) -> Document {
    Document::List(items.iter().map(|item| text(item)).collect())
}

fn map(members: Vec<(&str, Document)>) -> Document {
    Document::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn one(list: &str, entry: Document) -> Document {
    map(vec![(list, Document::List(vec![entry]))])
}

fn ip(effect: &str, cidrs: &[&str]) -> Document {
    map(vec![("type", text("ip")), ("effect", text(effect)), ("cidrs", texts(cidrs))])
}

fn window(start: i64, end: i64, zone: &str) -> Vec<(&'static str, Document)> {
    vec![("startHour", Document::Integer(start)), ("endHour", Document::Integer(end)), ("timezone", text(zone))]
}

fn hours(effect: &str, start: i64, end: i64, zone: &str) -> Document {
    let mut members = vec![("type", text("time")), ("effect", text(effect))];
    members.extend(window(start, end, zone));
    map(members)
}

fn statement(effect: &str, actions: &[&str], principals: &[&str]) -> Document {
    map(vec![("effect", text(effect)), ("actions", texts(actions)), ("principals", texts(principals))])
}

fn policy(document: Document) -> AccessPolicy {
    AccessPolicy::parse(document).expect("valid").expect("not empty")
}

fn conditions(entries: Vec<Document>) -> AccessPolicy {
    policy(map(vec![("conditions", Document::List(entries))]))
}

fn statements(entries: Vec<Document>) -> AccessPolicy {
    policy(map(vec![("statements", Document::List(entries))]))
}

fn error(document: Document) -> String {
    AccessPolicy::parse(document).expect_err("invalid").to_string()
}

fn at(rfc3339: &str) -> Timestamp {
    let at: jiff::Timestamp = rfc3339.parse().expect("a time");
    Timestamp::from_micros(at.as_microsecond())
}

/// What is asked, when nothing else is said: a user's reveal at noon from inside.
struct Ask {
    operation: PolicyOperation,
    at: Timestamp,
    client: Option<&'static str>,
    subject: PolicySubject,
}

impl Default for Ask {
    fn default() -> Self {
        let subject = PolicySubject { user: Some(USER.to_owned()), ..PolicySubject::default() };
        Self { operation: PolicyOperation::Reveal, at: at("2026-06-01T12:00:00Z"), client: Some("10.1.2.3"), subject }
    }
}

impl Ask {
    fn decision(&self, policy: &AccessPolicy) -> PolicyDecision {
        let client = self.client.map(|client| client.parse::<IpAddr>().expect("an address"));
        policy.decide(&PolicyRequest { operation: self.operation, at: self.at, client, subject: &self.subject })
    }

    fn allowed(&self, policy: &AccessPolicy) -> bool {
        self.decision(policy).is_allowed()
    }
}

fn allowed_by(by: &str) -> PolicyDecision {
    PolicyDecision::Allowed { by: Some(by.to_owned()) }
}

fn denied_by(by: &str) -> PolicyDecision {
    PolicyDecision::Denied { by: by.to_owned() }
}

#[test]
fn nothing_clears() {
    let empty = || Document::List(Vec::new());
    for document in [
        Document::Null,
        map(Vec::new()),
        map(vec![("conditions", empty())]),
        map(vec![("statements", Document::Null)]),
        map(vec![("allowed", empty()), ("denied", empty())]),
        map(vec![("conditions", empty()), ("statements", empty())]),
    ] {
        assert_eq!(AccessPolicy::parse(document.clone()), Ok(None), "{document:?}");
    }
}

#[test]
fn the_weight_counts_every_text_and_item() {
    let name = "x".repeat(200);
    let principals: Vec<String> = (0..64).map(|number| format!("team:{name}{number}")).collect();
    let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
    let one = statements(vec![statement("Allow", &[], &principals[..1])]).weight();
    assert!((400..2_000).contains(&one), "the name as it came and as it is compared: {one}");
    let many = statements(vec![statement("Allow", &[], &principals)]).weight();
    assert!(many > 64 * 400, "{many}");
    let largest = statements((0..64).map(|_| statement("Allow", &[], &principals)).collect()).weight();
    assert!(largest > 60 * many, "{largest}");

    let blocks: Vec<String> = (0..64).map(|number| format!("10.0.{number}.0/24")).collect();
    let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
    let (one, many) = (conditions(vec![ip("allow", &blocks[..1])]), conditions(vec![ip("allow", &blocks)]));
    assert!(many.weight() > one.weight() + 63 * 40, "{} {}", many.weight(), one.weight());
}

#[test]
fn conditions_allow_one_by_one_and_deny_above_all() {
    let ask = Ask::default();
    let outside = Ask { client: Some("192.0.2.1"), ..Ask::default() };
    let policy = conditions(vec![ip("allow", &["172.16.0.0/12"]), ip("allow", &["10.0.0.0/8"])]);
    assert_eq!(ask.decision(&policy), allowed_by("conditions[1]"));
    assert_eq!(outside.decision(&policy), denied_by("no allow entry matches"));

    let policy = conditions(vec![ip("allow", &["10.0.0.0/8"]), ip("deny", &["10.1.0.0/16"])]);
    assert_eq!(ask.decision(&policy), denied_by("conditions[1]"));

    let policy = conditions(vec![ip("deny", &["192.0.2.0/24"])]);
    assert_eq!(ask.decision(&policy), PolicyDecision::Allowed { by: None });
    assert_eq!(outside.decision(&policy), denied_by("conditions[0]"));

    let policy = conditions(vec![ip("allow", &["192.0.2.0/24"]), hours("allow", 8, 18, "UTC")]);
    assert_eq!(ask.decision(&policy), allowed_by("conditions[1]"));
}

#[test]
fn conditions_gate_both_operations() {
    let policy = conditions(vec![ip("deny", &["10.0.0.0/8"])]);
    assert!(!Ask { operation: PolicyOperation::Put, ..Ask::default() }.allowed(&policy));
    assert!(!Ask::default().allowed(&policy));
}

#[test]
fn the_nested_shape_names_its_own_places() {
    let deny = map(vec![("type", text("time")), ("time", map(window(12, 13, "UTC")))]);
    let allow = map(vec![("type", text("ip")), ("ips", texts(&["10.0.0.0/8"]))]);
    let document = map(vec![
        ("denied", Document::List(vec![deny])),
        ("allowed", Document::List(vec![allow, Document::Map(vec![])])),
    ]);
    assert_eq!(error(document.clone()), "`accessPolicy.allowed[1].type`: is missing; set it to `ip` or `time`");
    let Document::Map(mut members) = document else { panic!("a map") };
    let Document::List(allowed) = &mut members[1].1 else { panic!("a list") };
    allowed.pop();
    let policy = policy(Document::Map(members));
    assert_eq!(Ask::default().decision(&policy), denied_by("denied[0]"));
    assert_eq!(Ask { at: at("2026-06-01T13:00:00Z"), ..Ask::default() }.decision(&policy), allowed_by("allowed[0]"));
}

#[test]
fn addresses() {
    for (block, client, inside) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ("::ffff:10.0.0.0/104", "10.0.0.1", true),
        ("::ffff:10.0.0.0/104", "11.0.0.1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("2001:db8::/32", "2001:db8:1::1", true),
        ("2001:db8::1", "2001:db8::1", true),
        ("2001:db8::1", "2001:db8::2", false),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "10.0.0.1", false),
        ("0.0.0.0/0", "::ffff:1.2.3.4", true),
    ] {
        let ask = Ask { client: Some(client), ..Ask::default() };
        assert_eq!(ask.allowed(&conditions(vec![ip("allow", &[block])])), inside, "{block} {client}");
        assert_eq!(ask.allowed(&conditions(vec![ip("deny", &[block])])), !inside, "{block} {client}");
    }
}

#[test]
fn without_an_address_ip_conditions_refuse() {
    let ask = Ask { client: None, ..Ask::default() };
    assert_eq!(
        ask.decision(&conditions(vec![ip("allow", &["0.0.0.0/0", "::/0"])])),
        denied_by("no allow entry matches")
    );
    assert_eq!(ask.decision(&conditions(vec![ip("deny", &["192.0.2.0/24"])])), denied_by("conditions[0]"));
    assert!(ask.allowed(&conditions(vec![ip("allow", &["10.0.0.0/8"]), hours("allow", 8, 18, "UTC")])));
}

#[test]
fn windows_are_half_open_and_may_run_overnight() {
    for (start, end, inside, outside) in [
        (8, 18, &["08:00:00", "17:59:59"][..], &["07:59:59", "18:00:00"][..]),
        (0, 24, &["00:00:00", "23:59:59"], &[]),
        (22, 6, &["22:00:00", "23:59:59", "00:00:00", "05:59:59"], &["06:00:00", "21:59:59"]),
        (18, 24, &["18:00:00", "23:59:59"], &["00:00:00", "17:59:59"]),
        (18, 0, &["18:00:00", "23:59:59"], &["00:00:00", "17:59:59"]),
        (24, 6, &["00:00:00", "05:59:59"], &["23:59:59", "06:00:00"]),
    ] {
        let policy = conditions(vec![hours("allow", start, end, "UTC")]);
        for (times, expected) in [(inside, true), (outside, false)] {
            for time in times {
                let ask = Ask { at: at(&format!("2026-06-01T{time}Z")), ..Ask::default() };
                assert_eq!(ask.allowed(&policy), expected, "{start} {end} {time}");
            }
        }
    }
}

#[test]
fn daylight_saving_follows_the_zone() {
    let office = conditions(vec![hours("allow", 8, 18, "Europe/Amsterdam")]);
    let skipped = conditions(vec![hours("allow", 2, 3, "Europe/Amsterdam")]);
    let night = conditions(vec![hours("allow", 23, 3, "Europe/Amsterdam")]);
    for (policy, time, expected) in [
        // Clocks go from 02:00 to 03:00 at 01:00Z: the day before at +1, from then at +2.
        (&office, "2026-03-28T07:00:00Z", true),
        (&office, "2026-03-28T06:59:59Z", false),
        (&office, "2026-03-29T06:00:00Z", true),
        (&office, "2026-03-29T05:59:59Z", false),
        (&office, "2026-03-29T16:00:00Z", false),
        (&skipped, "2026-03-29T00:59:59.999999Z", false),
        (&skipped, "2026-03-29T01:00:00Z", false),
        (&skipped, "2026-03-28T01:30:00Z", true),
        (&night, "2026-03-29T00:59:59Z", true),
        (&night, "2026-03-29T01:00:00Z", false),
        // Clocks go from 03:00 to 02:00 at 01:00Z: the hour from two to three comes twice.
        (&skipped, "2026-10-25T00:00:00Z", true),
        (&skipped, "2026-10-25T00:59:59Z", true),
        (&skipped, "2026-10-25T01:00:00Z", true),
        (&skipped, "2026-10-25T01:59:59Z", true),
        (&skipped, "2026-10-25T02:00:00Z", false),
        (&night, "2026-10-25T01:59:59Z", true),
        (&night, "2026-10-25T02:00:00Z", false),
        (&office, "2026-10-25T07:00:00Z", true),
        (&office, "2026-10-25T06:59:59Z", false),
    ] {
        assert_eq!(Ask { at: at(time), ..Ask::default() }.allowed(policy), expected, "{time} {policy:?}");
    }
}

#[test]
fn a_time_that_no_calendar_holds_counts_against_the_caller() {
    let ask = Ask { at: Timestamp::from_micros(i64::MAX), ..Ask::default() };
    assert!(!ask.allowed(&conditions(vec![hours("allow", 0, 24, "UTC")])));
    assert!(!ask.allowed(&conditions(vec![hours("deny", 3, 4, "UTC")])));
}

#[test]
fn actions_in_every_spelling() {
    let (reveal, put, both, neither) = ((true, false), (false, true), (true, true), (false, false));
    for (actions, (gates_reveal, gates_put)) in [
        (&["getSecretValue"][..], reveal),
        (&["secrets:get-value"], reveal),
        (&["Secrets:GET_SECRET_VALUE"], reveal),
        (&["get"], reveal),
        (&["read"], reveal),
        (&["Reveal"], reveal),
        (&["putSecretValue"], put),
        (&["secrets:put.value"], put),
        (&["put"], put),
        (&["write"], put),
        (&["UPDATE"], put),
        (&["*"], both),
        (&["secrets:*"], both),
        (&[], both),
        (&["read", "write"], both),
        (&["create", "list", "delete", "browse", "destroySecretVersion", "update-policy"], neither),
        (&["list", "read"], reveal),
    ] {
        let policy = statements(vec![statement("DENY", actions, &[])]);
        for (operation, gated) in [(PolicyOperation::Reveal, gates_reveal), (PolicyOperation::Put, gates_put)] {
            assert_eq!(Ask { operation, ..Ask::default() }.allowed(&policy), !gated, "{actions:?} {operation:?}");
        }
    }
}

#[test]
fn other_actions_are_refused() {
    for action in ["rotate", "get*", "**", "", "secrets:", "get value", "kms:get", "gét"] {
        let message = error(map(vec![(
            "statements",
            Document::List(vec![statement("Allow", &[], &[]), statement("Allow", &["get", action], &[])]),
        )]));
        assert!(message.starts_with("`accessPolicy.statements[1].actions[1]`: "), "{message}");
    }
}

#[test]
fn principals() {
    let user = PolicySubject {
        user: Some(USER.to_owned()),
        service_account: None,
        teams: vec![PolicyTeam { identity: TEAM.to_owned(), slug: "platform".to_owned() }],
    };
    let robot = PolicySubject { service_account: Some(ROBOT.to_owned()), ..PolicySubject::default() };
    let nobody = PolicySubject::default();
    let other = "u-00000000000000000000000002";
    let named = |prefix: &str, name: &str| format!("{prefix}:{name}");
    for (principals, is_user, is_robot, is_nobody) in [
        (vec![], true, true, true),
        (vec!["*".to_owned()], true, true, true),
        (vec![named("user", USER)], true, false, false),
        (vec![named("user", ROBOT)], false, false, false),
        (vec![named("serviceAccount", ROBOT)], false, true, false),
        (vec![named("team", TEAM)], true, false, false),
        (vec![named("team", "platform")], true, false, false),
        (vec![named("team", "engineering")], false, false, false),
        (vec![USER.to_owned()], true, false, false),
        (vec![ROBOT.to_owned()], false, true, false),
        (vec![TEAM.to_owned()], true, false, false),
        (vec![other.to_owned()], false, false, false),
        (vec![other.to_owned(), named("serviceAccount", ROBOT)], false, true, false),
    ] {
        let list: Vec<&str> = principals.iter().map(String::as_str).collect();
        for (subject, applies) in [(&user, is_user), (&robot, is_robot), (&nobody, is_nobody)] {
            for (effect, expected) in [("allow", applies), ("Deny", !applies)] {
                let policy = statements(vec![statement(effect, &["read"], &list)]);
                let ask = Ask { subject: subject.clone(), ..Ask::default() };
                assert_eq!(ask.allowed(&policy), expected, "{effect} {list:?} {subject:?}");
            }
        }
    }
}

#[test]
fn other_principals_are_refused() {
    for principal in ["", "platform", "role:x", "user:", "user:*", "team:a b", "User:x", ":x", "u-1", "user:a:b"] {
        let message = error(one("statements", statement("Allow", &[], &["*", principal])));
        assert!(message.starts_with("`accessPolicy.statements[0].principals[1]`: "), "{message}");
    }
}

#[test]
fn an_allow_for_one_operation_leaves_the_other_alone() {
    let policy = statements(vec![statement("Allow", &["read"], &["team:nobody"])]);
    assert_eq!(Ask::default().decision(&policy), denied_by("no allow entry matches"));
    let put = Ask { operation: PolicyOperation::Put, ..Ask::default() };
    assert_eq!(put.decision(&policy), PolicyDecision::Allowed { by: None });

    let policy = statements(vec![statement("Allow", &[], &[]), statement("Deny", &["put"], &[USER])]);
    assert_eq!(Ask::default().decision(&policy), allowed_by("statements[0]"));
    assert_eq!(put.decision(&policy), denied_by("statements[1]"));
}

#[test]
fn a_member_that_is_null_is_absent_and_kept() {
    let mut members = vec![("type", text("ip")), ("timezone", Document::Null), ("startHour", Document::Null)];
    members.extend([("cidrs", texts(&["10.0.0.0/8"])), ("effect", text("deny"))]);
    let document = map(vec![("statements", Document::Null), ("conditions", Document::List(vec![map(members)]))]);
    let policy = policy(document.clone());
    assert_eq!(policy.document(), &document);
    assert_eq!(Ask::default().decision(&policy), denied_by("conditions[0]"));
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let condition = |entry| one("conditions", entry);
    let with = |mut entry: Document, name: &str, value: Document| {
        if let Document::Map(members) = &mut entry {
            members.push((name.to_owned(), value));
        }
        entry
    };
    let many = |count| Document::List(vec![ip("deny", &["10.0.0.0/8"]); count]);
    let blocks = vec!["10.0.0.0/8"; 65];
    let long = "x".repeat(257);
    for (document, expected) in [
        (text("x"), "`accessPolicy`: is not an object"),
        (Document::List(vec![]), "`accessPolicy`: is not an object"),
        (map(vec![("rules", Document::Null)]), "`accessPolicy`: has no field `rules`; its fields are `conditions`"),
        (
            map(vec![("conditions", Document::Null), ("conditions", Document::Null)]),
            "`accessPolicy`: has the field `conditions` twice",
        ),
        (map(vec![("conditions", text("x"))]), "`accessPolicy.conditions`: is not a list"),
        (condition(Document::Null), "`accessPolicy.conditions[0]`: is not an object"),
        (
            map(vec![("conditions", many(1)), ("statements", Document::List(vec![statement("Deny", &[], &[])]))]),
            "`accessPolicy`: has more than one shape",
        ),
        (map(vec![("conditions", many(65))]), "`accessPolicy`: has 65 entries; at most 64"),
        (map(vec![("allowed", many(33)), ("denied", many(32))]), "`accessPolicy`: has 65 entries"),
        (condition(ip("Allow", &["10.0.0.0/8"])), "`accessPolicy.conditions[0].effect`: `Allow` is not an effect"),
        (condition(map(vec![("type", text("geo"))])), "`accessPolicy.conditions[0].type`: `geo` is not a type"),
        (
            condition(map(vec![("type", text("ip")), ("cidrs", texts(&["::1"]))])),
            "`accessPolicy.conditions[0].effect`: is missing",
        ),
        (condition(ip("deny", &[])), "`accessPolicy.conditions[0].cidrs`: names no address"),
        (condition(ip("deny", &blocks)), "`accessPolicy.conditions[0].cidrs`: has more than 64 items"),
        (
            condition(ip("deny", &["::1", "10.0.0.1/8"])),
            "`accessPolicy.conditions[0].cidrs[1]`: `10.0.0.1/8` has host bits set; write `10.0.0.0/8`",
        ),
        (condition(ip("deny", &["10.0.0.0/33"])), "`accessPolicy.conditions[0].cidrs[0]`: `10.0.0.0/33` is not a CIDR"),
        (condition(ip("deny", &["\n"])), "`accessPolicy.conditions[0].cidrs[0]`: `\\n` is not a CIDR"),
        (condition(ip("deny", &[&long])), "`accessPolicy.conditions[0].cidrs[0]`: is longer than 256 bytes"),
        (
            condition(with(ip("deny", &["::1"]), "startHour", Document::Integer(1))),
            "`accessPolicy.conditions[0].startHour`: does not belong to an entry of type `ip`",
        ),
        (
            condition(with(ip("deny", &["::1"]), "ips", Document::Null)),
            "`accessPolicy.conditions[0]`: has no field `ips`",
        ),
        (condition(hours("deny", 8, 8, "UTC")), "`accessPolicy.conditions[0].endHour`: leaves no hour"),
        (condition(hours("deny", 24, 0, "UTC")), "`accessPolicy.conditions[0].endHour`: leaves no hour"),
        (condition(hours("deny", 8, 25, "UTC")), "`accessPolicy.conditions[0].endHour`: is not an hour"),
        (condition(hours("deny", -1, 8, "UTC")), "`accessPolicy.conditions[0].startHour`: is not an hour"),
        (
            condition(hours("deny", 1, 8, "Europe/Atlantis")),
            "`accessPolicy.conditions[0].timezone`: `Europe/Atlantis` is not a time zone",
        ),
        (condition(hours("deny", 1, 8, "Etc/Unknown")), "`accessPolicy.conditions[0].timezone`: `Etc/Unknown` is not"),
        (
            one("denied", map(vec![("type", text("time")), ("time", map(vec![("zone", text("UTC"))]))])),
            "`accessPolicy.denied[0].time`: has no field `zone`",
        ),
        (one("denied", map(vec![("type", text("time"))])), "`accessPolicy.denied[0].time`: is missing"),
        (
            one("statements", map(vec![("effect", text("permit"))])),
            "`accessPolicy.statements[0].effect`: `permit` is not an effect; set it to `Allow` or `Deny`",
        ),
    ] {
        let message = error(document);
        assert!(message.starts_with(expected), "{message}\n{expected}");
    }
}

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
