//! The table of settings: what exists, its default and what it means, in code and in the docs.

use std::fmt::Write as _;

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// The value when it is absent or empty; empty when there is none.
    pub default: &'static str,
    /// What it means, in its unit.
    pub doc: &'static str,
}

const fn setting(name: &'static str, default: &'static str, doc: &'static str) -> Setting {
    Setting { name, default, doc }
}

/// Every setting, the required one first.
pub const SETTINGS: &[Setting] = &[
    setting(
        "DATABASE_URL",
        "",
        "Required by `serve`, `migrate`, `token` and `audit`: `postgres://user:password@host:port/database`. With several servers `…@host1:port,host2:port/database?target_session_attrs=read-write`: the one that takes writes is used, and found anew after a failover. Never echoed.",
    ),
    setting(
        "FLEET_LISTEN",
        "127.0.0.1:8080",
        "Address and port of the API.",
    ),
    setting(
        "FLEET_METRICS_LISTEN",
        "",
        "Address and port of `/livez` and `/readyz` of a worker (`serve --role worker` or `all`). Without it no port is opened for them.",
    ),
    setting(
        "FLEET_HTTP_WORKERS",
        "",
        "Threads that answer HTTP, 1 to 1024. Without it: one a CPU.",
    ),
    setting(
        "FLEET_TLS_CERTIFICATE",
        "",
        "A PEM file with the API's certificate and its chain; needs `FLEET_TLS_KEY`. Read anew when it changes. Without it the API speaks plain HTTP.",
    ),
    setting(
        "FLEET_TLS_KEY",
        "",
        "A PEM file with the private key of that certificate.",
    ),
    setting(
        "FLEET_CORS_ORIGINS",
        "",
        "Origins whose web pages may call the API from a browser, exact and separated by commas: `https://portal.example.com`. `*` is refused. Without it: none.",
    ),
    setting(
        "FLEET_MAX_BODY_BYTES",
        "262144",
        "The largest body of a request, 1024 to 262144: beyond it 413.",
    ),
    setting(
        "FLEET_MAX_HEADER_BYTES",
        "32768",
        "The most that a request's headers may come to, 1024 to 65536: beyond it 431.",
    ),
    setting(
        "FLEET_MAX_HEADERS",
        "64",
        "The most header lines of a request, 8 to 96: beyond it 431.",
    ),
    setting(
        "FLEET_MAX_URI_BYTES",
        "8192",
        "The longest path with its query, 256 to 32768: beyond it 414.",
    ),
    setting(
        "FLEET_MAX_JSON_DEPTH",
        "32",
        "How deep a JSON body may nest, 4 to 100: beyond it 422.",
    ),
    setting(
        "FLEET_MAX_JSON_ITEMS",
        "1000",
        "The most elements of one array or object in a JSON body, 10 to 100000: beyond it 422.",
    ),
    setting(
        "FLEET_MAX_PAGE_SIZE",
        "1000",
        "The most items on one page of a list, 1 to 1000; larger wishes are lowered.",
    ),
    setting(
        "FLEET_MAX_LIST_ROWS",
        "20000",
        "The rows that one page of a list looks at, 100 to 1000000: a page whose filters let few of them through is short, even empty, and names the next one.",
    ),
    setting(
        "FLEET_MAX_REQUESTS_PER_MINUTE",
        "600000",
        "Requests that one token may make in a minute of each API process: beyond it 429. 0 is any number.",
    ),
    setting(
        "FLEET_MAX_CONCURRENT_REQUESTS",
        "2000",
        "Requests that one token may have under way in each API process, long polls and event streams too: beyond it 429. 0 is any number.",
    ),
    setting(
        "FLEET_MAX_UNFINISHED_JOBS",
        "100000",
        "Unfinished jobs that one account may have: beyond it 429, and nothing is queued. 0 is any number.",
    ),
    setting(
        "FLEET_MAX_UNFINISHED_READS",
        "500",
        "Live reads that one token may have unfinished in each API process; those of one account, by all tokens, may be twice as many: beyond it 429. 0 is any number.",
    ),
    setting(
        "FLEET_MAX_CONNECTIONS",
        "20000",
        "Connections that may be open at once to each API process, 64 to 1000000; others wait. Each takes one file descriptor: the limit on those is raised at start as far as the system allows, and where that is not far enough fewer connections are taken, with a warning.",
    ),
    setting(
        "FLEET_HEAD_TIMEOUT_SECONDS",
        "5",
        "Seconds in which the head of a connection's first request must arrive, 1 to 300.",
    ),
    setting(
        "FLEET_BODY_TIMEOUT_SECONDS",
        "10",
        "Seconds in which a body must arrive, 1 to 300: after them 408.",
    ),
    setting(
        "FLEET_KEEP_ALIVE_SECONDS",
        "5",
        "Seconds that a connection stays open without a request, 1 to 3600. Give it more than a load balancer in front.",
    ),
    setting(
        "FLEET_WORKER_SLOTS",
        "64",
        "Job steps that a worker has under way at the same time, 1 to 10000.",
    ),
    setting(
        "FLEET_LEASE_SECONDS",
        "30",
        "Seconds after which the jobs of a silent worker go to others, 5 to 3600.",
    ),
    setting(
        "FLEET_POLL_INTERVAL_MS",
        "1000",
        "Milliseconds between two looks at the queue when no notification comes, 10 to 60000.",
    ),
    setting(
        "FLEET_READ_HISTORY_MINUTES",
        "60",
        "Minutes that the jobs of live reads are kept, 5 to 10080; then workers remove them. Jobs that change something are not removed.",
    ),
    setting(
        "FLEET_DATABASE_CONNECTIONS",
        "10",
        "The most database connections of one process, 2 to 1000; fewer than 5 count as 5. How they \
         are divided: [queue.md](queue.md#connections).",
    ),
    setting(
        "FLEET_DATABASE_CHANGE_CONNECTIONS",
        "",
        "Of them, those for new jobs and for other changes of callers, 1 to 900. Without it: a part \
         of the total.",
    ),
    setting(
        "FLEET_DATABASE_READ_CONNECTIONS",
        "",
        "Of them, those for reads and lists of callers, 1 to 900. Without it: a part of the total.",
    ),
    setting(
        "FLEET_PAGE_TOKEN_SECRET",
        "",
        "What page tokens are signed with, at least 32 characters, the same in every process. Without it: one kept in the database. Never echoed.",
    ),
    setting(
        "FLEET_OIDC_ISSUER",
        "",
        "An OpenID Connect issuer whose tokens are taken beside the API's own ([access.md](access.md)): the `https://` URL that its tokens name in `iss`, to the letter.",
    ),
    setting(
        "FLEET_OIDC_AUDIENCE",
        "",
        "Required with `FLEET_OIDC_ISSUER`: whom tokens must be for, as their `aud` names it.",
    ),
    setting(
        "FLEET_OIDC_ROLE_CLAIM",
        "roles",
        "The claim that gives the role: a name, or a JSON pointer such as `/realm_access/roles`. A text or a list of texts; `scope` and `scp` are split at spaces. The highest role counts.",
    ),
    setting(
        "FLEET_OIDC_ROLES",
        "",
        "What the values of that claim mean, in JSON: `{\"fleet-admins\": \"admin\", \"everyone\": \"viewer\"}`. Without it: `viewer`, `operator` and `admin` mean themselves.",
    ),
    setting(
        "FLEET_OIDC_ACCOUNTS_CLAIM",
        "",
        "The claim that gives the accounts, written as above: account ids, or `*` for all. Without it: every caller sees all accounts.",
    ),
    setting(
        "FLEET_OIDC_ACCOUNTS",
        "",
        "What other values of that claim mean, in JSON: `{\"team-a\": [\"111111111111\"], \"platform\": \"*\"}`.",
    ),
    setting(
        "FLEET_OIDC_NAME_CLAIM",
        "sub",
        "The claim that names the caller in jobs and in the audit trail. Choose one that people can't change by themselves. What is missing there is taken from `sub`.",
    ),
    setting(
        "FLEET_WEBHOOK_ALLOWED_CIDRS",
        "",
        "Networks that webhooks may go to although they are not public, separated by commas, such as `10.1.0.0/16`: for receivers in your own networks. The same in every process.",
    ),
    setting(
        "FLEET_WEBHOOK_ALLOW_HTTP",
        "false",
        "`true` lets webhooks go to `http://` URLs too: for development. The same in every process.",
    ),
    setting(
        "FLEET_WEBHOOK_CA_FILE",
        "",
        "A PEM file with certificate authorities that receivers' certificates may be of, beside those of the system: for a private PKI. Read at the start of a worker.",
    ),
    setting(
        "FLEET_WEBHOOK_SECRETS_KEY",
        "",
        "What the secrets of webhooks are sealed with in the database, at least 32 characters, the same in every process. Without it: a key kept in the database. When it is changed, every webhook needs a new secret. Never echoed.",
    ),
    setting(
        "FLEET_SHUTDOWN_GRACE_SECONDS",
        "20",
        "Seconds that work under way is given after SIGTERM, 0 to 600.",
    ),
    setting(
        "FLEET_LOG_FORMAT",
        "text",
        "`text` to be read, `json` to be collected; on standard error.",
    ),
    setting(
        "RUST_LOG",
        DEFAULT_FILTER,
        "What is logged: a filter of `tracing`, such as `info,fargate_fleet=debug`.",
    ),
    setting(
        "FLEET_POSTGRES_BIN",
        "",
        "For `demo` and the tests: the directory of `initdb` and `postgres`. Without it: PATH and the usual places.",
    ),
    setting(
        "FLEET_AWS_ENDPOINT_URL",
        "",
        "For simulators and tests only: an `http://` or `https://` URL that is called instead of AWS.",
    ),
    setting(
        "FLEET_AWS_TIME_SCALE",
        "1",
        "For simulators only (needs `FLEET_AWS_ENDPOINT_URL`): divides the pauses between two looks at AWS, 1 to 100000.",
    ),
];

/// The filter without `RUST_LOG`.
pub(super) const DEFAULT_FILTER: &str = "info,actix_server=warn,sqlx::postgres::notice=warn";

/// The setting of that name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The table as `docs/settings.md` holds it.
#[must_use]
pub fn settings_table() -> String {
    let mut table = "# Settings\n\n\
        Environment variables, read once and checked at start; an unknown `FLEET_` variable is \
        refused.\nThe worker also takes AWS's own (`AWS_REGION`, `AWS_PROFILE`, ...). Written from \
        `src/config/settings.rs`.\n\n\
        | variable | default | what |\n|---|---|---|\n"
        .to_owned();
    for Setting { name, default, doc } in SETTINGS {
        let default = if default.is_empty() {
            String::new()
        } else {
            format!("`{default}`")
        };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{name}` | {default} | {doc} |");
    }
    table
}
