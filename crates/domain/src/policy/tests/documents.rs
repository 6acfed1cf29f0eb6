use super::*;

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
