//! Browsing and listing: order, directories, labels, pages.

use crate::{Stage, Table, paths, text};
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, base64};

/// The target of the next page, when the answer names one.
pub(crate) fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (target, parameters) = link.strip_prefix('<').and_then(|link| link.split_once('>')).expect("a target in <>");
    assert!(parameters.contains("rel=\"next\""), "{link}");
    let path = target.find("/v1/").unwrap_or_else(|| panic!("no address: {link}"));
    Some(target[path..].to_owned())
}

/// All pages from this one on.
fn pages(client: &Client, first: String) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut target = Some(first);
    while let Some(page) = target {
        let answer = client.get(page).expect(200);
        target = next(&answer);
        pages.push(answer.json());
        assert!(pages.len() < 5_000, "pages without end");
    }
    pages
}

const TREE: [&str; 14] = [
    "/A", "/a", "/a+b", "/a-b", "/a.b", "/a/b", "/a/b/c", "/a0", "/app", "/app/x", "/app/y/z", "/apple/x", "/applf",
    "/b/1",
];

/// The tree, put in from its end, some of it labelled.
fn stage() -> Stage {
    let stage = Stage::new();
    for (number, path) in TREE.iter().enumerate().rev() {
        let mut body = stage.client.new_secret(path, path);
        let parity = if number % 2 == 0 { "even" } else { "odd" };
        body["labels"] = json!({"parity": parity, "app.io/name": if number < 7 { "low" } else { "" }});
        let _ = stage.client.post(stage.client.secrets(), &body).ok(201);
    }
    stage
}

#[test]
fn directories() {
    let stage = stage();
    let client = &stage.client;
    let mut table = Table::default();
    for (argument, echo, prefixes, secrets) in [
        (
            "/",
            "/",
            &["/a/", "/app/", "/apple/", "/b/"][..],
            &["/A", "/a", "/a+b", "/a-b", "/a.b", "/a0", "/app", "/applf"][..],
        ),
        ("/a", "/a/", &["/a/b/"], &["/a/b"]),
        ("/a/", "/a/", &["/a/b/"], &["/a/b"]),
        ("/a/b", "/a/b/", &[], &["/a/b/c"]),
        ("%2Fapp%2F", "/app/", &["/app/y/"], &["/app/x"]),
        ("/app/x", "/app/x/", &[], &[]),
        ("/nothing/", "/nothing/", &[], &[]),
        ("/APP", "/APP/", &[], &[]),
    ] {
        table.row(format!("browse {argument}"), || {
            let browsed = client.get(format!("{}?path={argument}", client.secrets())).ok(200);
            assert_eq!((&browsed["path"], &browsed["prefixes"]), (&json!(echo), &json!(prefixes)));
            assert_eq!(paths(&browsed["secrets"]), secrets);
        });
    }
    for (argument, below) in [
        ("/", &TREE[..]),
        ("/app", &["/app/x", "/app/y/z"]),
        ("/app/", &["/app/x", "/app/y/z"]),
        ("/a", &["/a/b", "/a/b/c"]),
        ("/a/b/", &["/a/b/c"]),
        ("/apple", &["/apple/x"]),
        ("/applf", &[]),
        ("/nothing", &[]),
    ] {
        table.row(format!("list {argument}"), || {
            let answer = client.get(format!("{}?pathPrefix={argument}", client.secrets()));
            assert_eq!(answer.header("link"), None, "without a limit all comes at once");
            assert_eq!(paths(&answer.ok(200)), below);
        });
    }
    table.row("the objects are those of GET", || {
        let listed = client.get(format!("{}?pathPrefix=/apple", client.secrets())).ok(200);
        assert_eq!(listed[0], client.describe("/apple/x").ok(200));
    });
    table.finish();
}

#[test]
fn labels() {
    let stage = stage();
    let client = &stage.client;
    let mut table = Table::default();
    let every = |parity: usize| TREE.iter().skip(parity).step_by(2).copied().collect::<Vec<_>>();
    for (query, expected) in [
        ("matchLabels[parity]=even", every(0)),
        ("matchLabels%5Bparity%5D=odd", every(1)),
        ("matchLabels[parity]=even&matchLabels[app.io/name]=low", vec!["/A", "/a+b", "/a.b", "/a/b/c"]),
        ("matchLabels[app.io%2Fname]=", TREE[7..].to_vec()),
        ("matchLabels[parity]=Even", vec![]),
        ("matchLabels[nope]=even", vec![]),
    ] {
        table.row(query, || {
            let listed = client.get(format!("{}?pathPrefix=/&{query}", client.secrets())).ok(200);
            assert_eq!(paths(&listed), expected);
            let paged = pages(client, format!("{}?pathPrefix=/&{query}&limit=2", client.secrets()));
            assert_eq!(paged.iter().flat_map(paths).collect::<Vec<_>>(), expected);
        });
    }
    table.row("they filter secrets, not directories that hold some", || {
        let browsed = client.get(format!("{}?path=/&matchLabels[parity]=odd", client.secrets())).ok(200);
        assert_eq!(paths(&browsed["secrets"]), ["/a", "/a-b", "/a0"]);
    });
    table.finish();
}

#[test]
fn pages_in_order() {
    let stage = stage();
    let client = &stage.client;
    let mut table = Table::default();
    // A directory stands where its name with the slash belongs.
    let level = ["/A", "/a", "/a+b", "/a-b", "/a.b", "/a/", "/a0", "/app", "/app/", "/apple/", "/applf", "/b/"];
    for limit in 1..=13 {
        table.row(format!("browse by {limit}"), || {
            let mut found = Vec::new();
            let pages = pages(client, format!("{}?path=/&limit={limit}", client.secrets()));
            assert_eq!(pages.len(), level.len().div_ceil(limit).max(1));
            for page in &pages {
                assert_eq!(page["path"], "/");
                let mut entries = paths(&page["secrets"]);
                entries.extend(
                    page["prefixes"]
                        .as_array()
                        .expect("a list")
                        .iter()
                        .map(|prefix| prefix.as_str().expect("a text").to_owned()),
                );
                entries.sort_unstable();
                assert!(entries.len() <= limit);
                found.extend(entries);
            }
            assert_eq!(found, level);
        });
        table.row(format!("list by {limit}"), || {
            let pages = pages(client, format!("{}?pathPrefix=/&limit={limit}", client.secrets()));
            assert_eq!(pages.len(), TREE.len().div_ceil(limit));
            assert!(pages.iter().all(|page| paths(page).len() <= limit));
            assert_eq!(pages.iter().flat_map(paths).collect::<Vec<_>>(), TREE);
        });
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1.5",
        "limit=5&cursor=%00",
        "limit=5&cursor=nope!",
        "limit=1&limit=2",
    ] {
        for argument in ["path=/", "pathPrefix=/"] {
            table.row(format!("{argument}&{query}"), || {
                let _ = client.get(format!("{}?{argument}&{query}", client.secrets())).refused(400);
            });
        }
    }
    table.row("a page goes on, whatever was deleted or added meanwhile", || {
        let first = client.get(format!("{}?pathPrefix=/&limit=3", client.secrets())).expect(200);
        assert_eq!(paths(&first.json()), TREE[..3]);
        for path in &TREE[1..4] {
            client.delete(client.secret(path)).empty();
        }
        let _ = client.create("/a-before", "x").ok(201);
        let _ = client.create("/0-earlier", "x").ok(201);
        let rest = pages(client, next(&first).expect("a next page"));
        let mut expected = vec!["/a-before"];
        expected.extend(&TREE[4..]);
        assert_eq!(rest.iter().flat_map(paths).collect::<Vec<_>>(), expected);
    });
    table.finish();
}

/// Without a limit the whole answer comes, streamed, however long it is.
#[test]
fn thousands() {
    const COUNT: usize = 2_500;
    let stage = Stage::new();
    let client = &stage.client;
    let path = |number: usize| format!("/many/{:02}/{number:04}", number / 100);
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                let mut connection = client.connect();
                for number in (part..COUNT).step_by(4) {
                    let mut body = client.new_secret(&path(number), number.to_string());
                    body["labels"] = json!({"hundred": (number / 100).to_string()});
                    let request =
                        client.request("POST", client.secrets()).header("Connection", "keep-alive").json(&body);
                    connection.send(&request.bytes()).expect("sent");
                    let _ = connection.answer().expect("an answer").ok(201);
                }
            });
        }
    });
    let all: Vec<_> = (0..COUNT).map(path).collect();
    let answer = client.get(format!("{}?pathPrefix=/", client.secrets()));
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"), "it is streamed");
    assert_eq!(paths(&answer.ok(200)), all);
    let level = client.get(format!("{}?path=/many/07", client.secrets())).ok(200);
    assert_eq!(paths(&level["secrets"]), all[700..800]);
    let top = client.get(format!("{}?path=/many/", client.secrets())).ok(200);
    let prefixes: Vec<_> = (0..25).map(|number| format!("/many/{number:02}/")).collect();
    assert_eq!((&top["prefixes"], &top["secrets"]), (&json!(prefixes), &json!([])));
    let paged = pages(client, format!("{}?pathPrefix=/many&limit=1000", client.secrets()));
    assert_eq!(paged.iter().map(|page| paths(page).len()).collect::<Vec<_>>(), [1_000, 1_000, 500]);
    assert_eq!(paged.iter().flat_map(paths).collect::<Vec<_>>(), all);
    let labelled = client.get(format!("{}?pathPrefix=/&matchLabels[hundred]=24", client.secrets())).ok(200);
    assert_eq!(paths(&labelled), all[2_400..]);
    // A reader that leaves in the middle of the stream harms nobody.
    for _ in 0..5 {
        client
            .connect()
            .send(&client.request("GET", format!("{}?pathPrefix=/", client.secrets())).bytes())
            .expect("sent");
    }
    let revealed = client.reveal(&path(1234), None).ok(200);
    assert_eq!(text(&revealed, "secretString"), base64("1234"));
}
