use super::*;

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
