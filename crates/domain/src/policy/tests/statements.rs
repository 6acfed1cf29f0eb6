use super::*;

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

/// A team whose slug was chosen like another's identity is not that team.
#[test]
fn a_slug_in_the_form_of_an_identity_names_no_team() {
    let team = PolicyTeam { identity: "team-00000000000000000000000002".to_owned(), slug: TEAM.to_owned() };
    let subject = PolicySubject { teams: vec![team], ..PolicySubject::default() };
    let policy = statements(vec![statement("Allow", &["read"], &[&format!("team:{TEAM}")])]);
    assert!(!Ask { subject, ..Ask::default() }.allowed(&policy));
}
