use super::{Entry, Format, Manifests, Source, Wrong, read, write};
use std::collections::BTreeMap;
use strongroom_client::{Plain, Value};
use zeroize::Zeroizing;

fn single(path: &str, bytes: &[u8]) -> Entry {
    Entry { path: path.to_owned(), value: Plain::from(bytes.to_vec()).into(), place: None }
}

fn named(path: &str, values: &[(&str, &[u8])]) -> Entry {
    let values = values.iter().map(|(key, bytes)| ((*key).to_owned(), Plain::from(bytes.to_vec())));
    Entry { path: path.to_owned(), value: Value::KeyValues(values.collect()), place: None }
}

/// Paths, and the bytes by key; a single value has none.
type Shown = BTreeMap<String, BTreeMap<Option<String>, Vec<u8>>>;

fn shown(entries: &[Entry]) -> Shown {
    let values = |entry: &Entry| match &entry.value {
        Value::Single(plain) => BTreeMap::from([(None, plain.expose().to_vec())]),
        Value::KeyValues(named) => {
            named.iter().map(|(key, plain)| (Some(key.clone()), plain.expose().to_vec())).collect()
        }
    };
    entries.iter().map(|entry| (entry.path.clone(), values(entry))).collect()
}

fn taken(name: &str, text: &str, format: Format) -> Shown {
    let source: Result<Source, Wrong> = read(name, text, format);
    shown(&source.unwrap_or_else(|wrong| panic!("{wrong}: {text}")).entries)
}

fn refused(name: &str, text: &str, format: Format) -> String {
    match read(name, text, format) {
        Ok(source) => panic!("{} entries were taken of {text:?}", source.entries.len()),
        Err(wrong) => format!("{}", wrong.of(name)),
    }
}

fn every_kind() -> Vec<Entry> {
    let all: Vec<u8> = (0..=255).collect();
    let strange = "it's \"quoted\" $HOME `x` \\ #no = \u{85}\u{2028}\u{feff}\u{fffe}\u{1b}[2J\0 漢字👍";
    vec![
        single("/app/empty", b""),
        single("/app/plain", b"hunter2"),
        single("/app/spaces", b"  two  # words "),
        single("/app/dollar", b"a$HOME${PATH}`x`$(id)"),
        single("/app/quotes", b"it's \"so\" \\n"),
        single("/app/lines", b"a\nb\r\n\tc\n\n"),
        single("/app/backslash", b"C:\\new\\"),
        single("/app/quoted-lines", b"it's\r\na\n\n"),
        single("/app/looks-null", b"null"),
        single("/app/looks-true", b"true"),
        single("/app/number", b"012"),
        single("/app/bytes", &all),
        single("/app/strange", strange.as_bytes()),
        single("/top", b"- [a: {b"),
        named("/app/sub/kv+x", &[("user.name", &b"x"[..]), ("a/b", b"\xff"), ("strange", strange.as_bytes())]),
        named("/app/sub/one", &[("only", b"")]),
        named("/app/sub/dots", &[(".", &b"1"[..]), ("..", b"2"), ("..data", b"3"), (".x", b"4"), ("a..b", b"5")]),
    ]
}

#[test]
fn what_is_written_is_read_again() {
    let wanted = shown(&every_kind());
    let manifests = Manifests { root: "/", namespace: Some("prod") };
    let written = [
        ("x.env", write::dotenv(&every_kind(), "").unwrap(), Format::Dotenv),
        ("x.json", write::json(&every_kind()), Format::Json),
        ("x.yaml", write::yaml(&every_kind()), Format::Yaml),
        ("x.yaml", write::kubernetes(&every_kind(), &manifests).unwrap(), Format::Kubernetes),
    ];
    for (name, text, format) in written {
        let text = core::str::from_utf8(text.bytes()).unwrap();
        assert_eq!(taken(name, text, format), wanted, "{text}");
        assert_eq!(taken("export", text, Format::Auto), wanted, "found out: {text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn a_truncated_export_is_never_taken() {
    let entries = || {
        vec![
            single("/a/one", b"first value"),
            named("/a/two", &[("k", b"second"), ("l", b"\xff")]),
            single("/z", b"it's\nx"),
        ]
    };
    let manifests = Manifests { root: "/", namespace: None };
    let written = [
        ("x.env", write::dotenv(&entries(), "").unwrap(), Format::Dotenv),
        ("x.json", write::json(&entries()), Format::Json),
        ("x.yaml", write::yaml(&entries()), Format::Yaml),
        ("x.yaml", write::kubernetes(&entries(), &manifests).unwrap(), Format::Kubernetes),
    ];
    for (name, text, format) in written {
        let text = core::str::from_utf8(text.bytes()).unwrap();
        let first_line = text.find('\n').unwrap();
        for end in (0..text.len() - 1).filter(|end| text.is_char_boundary(*end) && *end > first_line) {
            let part = &text[..end];
            let Ok(source) = read(name, part, format) else { continue };
            // Cut inside its last value, an unquoted line can't show it: what is written by us is quoted or counted.
            assert_eq!(shown(&source.entries), shown(&entries()), "{part}");
        }
    }
}

#[test]
fn dotenv_expands_nothing() {
    let text = "\u{feff}# a comment\r\nexport A = plain # comment\nB='$HOME ${A} \\n'\nC=\"x\\ty\n$(id) \\$HOME\" # more\n\
                D=pa$$w#rd\nE=\nF = \"\"\r\nG=it's\n";
    let found = taken(".env", text, Format::Auto);
    let value = |name: &str| String::from_utf8(found[name][&None].clone()).unwrap();
    assert_eq!(value("A"), "plain");
    assert_eq!(value("B"), "$HOME ${A} \\n");
    assert_eq!(value("C"), "x\ty\n$(id) $HOME");
    assert_eq!(value("D"), "pa$$w#rd");
    assert_eq!((value("E"), value("F"), value("G")), (String::new(), String::new(), "it's".to_owned()));
    let dos = taken("x.env", "A='1\r\n2'\r\nB=3\r\n", Format::Dotenv);
    assert_eq!((dos["A"][&None].as_slice(), dos["B"][&None].as_slice()), (&b"1\n2"[..], &b"3"[..]));
    for (wrong, line) in [
        ("A=1\nnonsense", 2),
        ("A=1\n\nA=2", 3),
        ("A='x\ny", 1),
        ("A=\"x\\q\"", 1),
        ("A='x' y", 1),
        ("A=1\n-B=2", 2),
        ("# strongroom: /a\n", 1),
        ("# strongroom: /a b\nA=1", 1),
        ("# strongroom: /a base64\nA=%", 2),
        ("# strongroom: /a\nA=1\n# strongroom: /a\nB=2", 4),
        ("# strongroom: 3 values\nA=1", 1),
    ] {
        let said = refused("x.env", wrong, Format::Dotenv);
        assert!(said.contains(&format!("line {line}")), "{wrong:?}: {said}");
    }
}

#[test]
fn objects_are_directories_secrets_and_keys() {
    let json = r#"{"a": "1", "prod": {"db": {"user": "u", "port": 5432, "tls": true}, "token": "t", "x": {"$base64": "/w=="}}}"#;
    let yaml = "a: 1\nprod:\n  db: &db {user: u, port: 5432, tls: true}\n  token: t\n  x: !!binary /w==\n";
    let found = taken("x.json", json, Format::Auto);
    assert_eq!(found, taken("x.yml", yaml, Format::Auto));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "prod/db", "prod/token", "prod/x"]);
    assert_eq!(found["prod/db"][&Some("port".to_owned())], b"5432");
    assert_eq!(found["prod/x"][&None], b"\xff");
    for wrong in [
        "[]",
        "{",
        "{\"a\": \"1\"",
        "{\"a\": \"1\"} x",
        "{\"a\": \"1\", \"a\": \"2\"}",
        "{\"a\": null}",
        "{\"a\": [\"x\"]}",
        "{\"a\": 1.50}",
        "{\"a\": 123456789012345678901234567890}",
        "{\"a\": {}}",
        "{\"a\": {\"$base64\": \"%\"}}",
        "{\"a\": {\"key with space\": \"x\"}}",
        "",
        "   \n",
    ] {
        refused("x.json", wrong, Format::Json);
    }
    assert!(refused("x.json", &"[".repeat(100_000), Format::Auto).contains("line 1"));
}

#[test]
fn json_of_endless_parts_is_refused() {
    let parts = "[],".repeat(600_000);
    let members: String = (0..300_000).map(|number| format!("\"{number}\":\"\",")).collect();
    for bomb in [format!("[{parts}[]]"), format!("{{{members}\"x\":\"\"}}")] {
        for format in [Format::Auto, Format::Json] {
            let said = refused("x.json", &bomb, format);
            assert!(said.contains("more than is taken at once") && said.contains("line 1"), "{format:?} {said}");
        }
    }
    assert!(refused("x.json", "{\"/a\": \"b\"} x", Format::Json).contains("line 1, column 13"));
}

#[test]
fn yaml_that_is_hostile_is_refused() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (one, other) in ('a'..='y').zip('b'..='z') {
        bomb.push_str(&format!("{other}: &{other} [{}]\n", vec![format!("*{one}"); 9].join(",")));
    }
    assert!(refused("x.yaml", &bomb, Format::Yaml).contains("repeat too much"));
    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), ["*a"; 2000].join(","));
    assert!(refused("x.yaml", &large, Format::Yaml).contains("repeat too much"));
    for wrong in [
        "a: &a [*a]\n",
        "a: *nowhere\n",
        "a: !!python/object:os.system x\n",
        "a: !local x\n",
        "a: 1\na: 2\n",
        "a: 1\n---\nb: 2\n",
        "a: {b: c\n",
        "a: \"x\n",
        "a: &x {b: c}\nd:\n  <<: *x\n  e: f\n",
        "? [a]\n: b\n",
        "{---",
        "a: b: c\n",
        "\t- x\n",
        "a: ~\n",
        "- x\n",
        "just text\n",
    ] {
        refused("x.yaml", wrong, Format::Yaml);
    }
    refused("x.yaml", &format!("a: {}", "[".repeat(50_000)), Format::Yaml);
    refused("x.yaml", &format!("a:\n {}x", "- ".repeat(10_000)), Format::Yaml);
}

#[test]
fn manifests_of_others_are_taken() {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n\
                data:\n  user: dXNl\n  tls: |\n    aGVs\n    bG8=\nstringData:\n  user: u\n  port: 5432\n---\n# nothing\n";
    let found = taken("x", yaml, Format::Auto);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["db"]);
    let value = |key: &str| found["db"][&Some(key.to_owned())].clone();
    assert_eq!((value("user"), value("tls"), value("port")), (b"u".to_vec(), b"hello".to_vec(), b"5432".to_vec()));
    let list = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"eA=="}}]}"#;
    assert_eq!(taken("x", list, Format::Auto)["a"][&Some("k".to_owned())], b"x");
    for wrong in [
        "apiVersion: v1\nkind: Secret\ndata: {a: eA==}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {a: '%'}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: [a]\n",
        "apiVersion: v1\nkind: List\n",
    ] {
        refused("x", wrong, Format::Kubernetes);
    }
}

#[test]
fn manifests_have_names_that_kubernetes_takes() {
    let manifests = Manifests { root: "/app/Prod_1/", namespace: None };
    let text = |entries: &[Entry]| {
        write::kubernetes(entries, &manifests).map(|text| String::from_utf8(text.bytes().to_vec()).unwrap())
    };
    let written = text(&[
        single("/app/Prod_1/TOKEN", b"t"),
        single("/app/Prod_1/a+b", b"t"),
        named("/app/Prod_1/db-", &[("k", b"v")]),
    ])
    .unwrap();
    assert!(written.contains("name: \"prod-1\"") && written.contains("name: \"prod-1-db\""), "{written}");
    assert!(written.contains("\"a_b\":") && written.contains(r#"strongroom/keys: "{\"a_b\":\"a+b\"}""#), "{written}");
    let written = text(&[named("/app/Prod_1/x", &[(".", b""), ("..", b""), ("..data", b""), (".a", b"")])]).unwrap();
    for key in ["_", "_.", "_.data", ".a"] {
        assert!(written.contains(&format!("\n  \"{key}\": ")), "{written}");
    }
    let both = text(&[named("/app/Prod_1/x_y", &[("k", b"v")]), named("/app/Prod_1/x-y", &[("k", b"v")])]);
    assert_eq!(both.unwrap_err(), "/app/Prod_1/x_y and /app/Prod_1/x-y would both be the Secret prod-1-x-y");
    let both = text(&[single("/app/Prod_1/a+b", b""), single("/app/Prod_1/a_b", b"")]);
    assert!(both.unwrap_err().contains("would both be a_b"));
    let large = text(&[named("/app/Prod_1/l", &[("a", &[0; 600_000]), ("b", &[0; 600_000])])]);
    assert!(large.unwrap_err().contains("more than a Secret of Kubernetes"));
}

#[test]
fn names_of_variables_are_not_given_twice() {
    let wrong = write::dotenv(&[single("/a/db-x", b""), single("/b/db_x", b"")], "").err();
    assert_eq!(wrong.as_deref(), Some("/a/db-x and /b/db_x would both be DB_X"));
}

#[test]
fn exports_of_vault_are_taken() {
    let first = r#"{"request_id":"r","lease_id":"","lease_duration":2764800,"data":{"user":"u","nested":{"a":[1,"ä"]},"port":5}}"#;
    let second = r#"{"request_id":"r","data":{"data":{"user":"u"},"metadata":{"version":3,"created_time":"x"}}}"#;
    let found = taken("x", first, Format::Auto);
    let value = |key: &str| String::from_utf8(found[""][&Some(key.to_owned())].clone()).unwrap();
    assert_eq!((value("user"), value("nested"), value("port")), ("u".into(), r#"{"a":[1,"ä"]}"#.into(), "5".into()));
    assert_eq!(taken("x", second, Format::Auto)[""].len(), 1);
    let map = format!(r#"{{"secret/app": {second}, "secret/b": {first}}}"#);
    assert_eq!(taken("x", &map, Format::Auto).keys().collect::<Vec<_>>(), ["secret/app", "secret/b"]);
    assert_eq!(taken("x", r#"{"app/a": {"k": "v"}}"#, Format::Vault)["app/a"].len(), 1);
    for wrong in [
        r#"{"request_id":"r","data":{"data":null,"metadata":{"version":3}}}"#,
        r#"{"request_id":"r","data":{}}"#,
        r#"{"request_id":"r","data":{"x":1.5}}"#,
        r#"{"request_id":"r","data":{"x":"#,
        r#"{"a":"b"}"#,
        "[]",
    ] {
        refused("x", wrong, Format::Vault);
    }
}

#[test]
fn exports_of_aws_are_taken() {
    let one = r#"{"ARN":"arn:x","Name":"prod/db","VersionId":"v","SecretString":"{\"user\":\"u\",\"port\":5432}","CreatedDate":1.5e9}"#;
    let batch = r#"{"SecretValues":[
        {"Name":"a","SecretString":"plain"},
        {"Name":"b","SecretBinary":"//8="},
        {"Name":"c","SecretString":"{\"a\":{\"b\":1}}"},
        {"Name":"d","SecretString":"{\"a b\":\"1\"}"},
        {"Name":"e","SecretString":"{\"ratio\":1.50}"}],"Errors":[]}"#;
    assert_eq!(taken("x", one, Format::Auto)["prod/db"][&Some("port".to_owned())], b"5432");
    let found = taken("x", batch, Format::Auto);
    assert_eq!(found["a"][&None], b"plain");
    assert_eq!(found["b"][&None], b"\xff\xff");
    assert_eq!(found["c"][&None], br#"{"a":{"b":1}}"#);
    assert_eq!(found["d"][&None], br#"{"a b":"1"}"#);
    assert_eq!(found["e"][&None], br#"{"ratio":1.50}"#);
    for wrong in [
        r#"{"SecretValues":[{"Name":"a","SecretString":"x"}],"NextToken":"n"}"#,
        r#"{"SecretValues":[],"Errors":[{"SecretId":"x","ErrorCode":"AccessDenied"}]}"#,
        r#"{"SecretValues":[{"SecretString":"x"}]}"#,
        r#"{"SecretValues":[{"Name":"a"}]}"#,
        r#"{"SecretValues":[{"Name":"a","SecretBinary":"%"}]}"#,
        r#"{"SecretValues":[{"Name":"a","SecretBinary":"eA==","SecretString":"x"}]}"#,
        r#"{"SecretValues":{}}"#,
    ] {
        refused("x", wrong, Format::Aws);
    }
}

#[test]
fn values_are_never_told() {
    for (format, text) in [
        (Format::Json, "{\"a\": \"canary\", \"b\": canary}"),
        (Format::Json, "{\"a\": \"canary"),
        (Format::Yaml, "a: \"canary\n"),
        (Format::Yaml, "a: canary: canary\n"),
        (Format::Yaml, "a: !canary2 [canary"),
        (Format::Dotenv, "A='canary"),
        (Format::Dotenv, "canary"),
        (Format::Aws, "{\"SecretValues\":[{\"Name\":\"a\",\"SecretBinary\":\"canary%\"}]}"),
    ] {
        let said = refused("x", text, format);
        assert!(!said.replace("canary2", "").contains("canary"), "{said}");
    }
    let wrong = Entry::single("/a".to_owned(), Zeroizing::new(vec![0; 2 * 1024 * 1024]), None);
    assert!(wrong.is_err());
}

#[test]
fn what_is_garbled_is_taken_or_refused() {
    let manifests = Manifests { root: "/", namespace: None };
    let texts = [
        write::dotenv(&every_kind(), "").unwrap(),
        write::json(&every_kind()),
        write::yaml(&every_kind()),
        write::kubernetes(&every_kind(), &manifests).unwrap(),
    ];
    let formats =
        [Format::Auto, Format::Dotenv, Format::Json, Format::Yaml, Format::Kubernetes, Format::Vault, Format::Aws];
    let pieces: Vec<char> = "{}[]:,-&*!|>'\"\\#%@`~?=.\n\t \u{0}\u{feff}\u{2028}ä0".chars().collect();
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..3000 {
        let text = core::str::from_utf8(texts[round % texts.len()].bytes()).unwrap();
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..=random(4) {
            let at = random(characters.len());
            match random(3) {
                0 => characters[at] = pieces[random(pieces.len())],
                1 => characters.insert(at, pieces[random(pieces.len())]),
                _ => drop(characters.drain(at..(at + random(20)).min(characters.len()))),
            }
        }
        let garbled: String = characters.into_iter().collect();
        // No panic, no loop; what is taken keeps to the rules.
        if let Ok(source) = read("x", &garbled, formats[random(formats.len())]) {
            for entry in &source.entries {
                if let Value::KeyValues(named) = &entry.value {
                    assert!((1..=256).contains(&named.len()) && named.keys().all(|key| super::entry::is_key(key)));
                }
            }
        }
    }
}
