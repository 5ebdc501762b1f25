//! Where one request of a connection ends and the next begins. Nothing is judged here: what is not
//! understood goes to the server, which refuses it, and nothing behind it goes anywhere.

/// As many as the server reads.
const MAX_HEADERS: usize = 96;

/// A connection's requests, as far as they were let through.
#[derive(Debug, Default)]
pub(super) struct Frames {
    phase: Phase,
    /// Requests whose head was let through.
    requests: u32,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before a head.
    #[default]
    Head,
    /// So much of a body is to come.
    Length(u64),
    /// In a body in chunks.
    Chunked(Chunk),
    /// Nothing more goes through.
    Sealed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// In the line with the size; whether it goes on with an extension.
    Size { size: u64, digits: bool, rest: bool },
    /// So much of the chunk, and the end of its line.
    Data(u64),
    /// In the lines behind the last chunk; how long this one is.
    Trailer(u32),
}

const SIZE: Chunk = Chunk::Size {
    size: 0,
    digits: false,
    rest: false,
};

impl Frames {
    pub(super) fn requests(&self) -> u32 {
        self.requests
    }

    pub(super) fn is_in_body(&self) -> bool {
        matches!(self.phase, Phase::Length(_) | Phase::Chunked(_))
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.phase == Phase::Sealed
    }

    pub(super) fn give_up(&mut self) {
        self.phase = Phase::Sealed;
    }

    /// How much at the beginning of `bytes` may go to the server. A head only when it is whole, and
    /// only when what came before it is `settled`.
    pub(super) fn clear(&mut self, bytes: &[u8], settled: bool) -> usize {
        match self.phase {
            Phase::Head if settled => self.head(bytes),
            Phase::Head | Phase::Sealed => 0,
            Phase::Length(left) => {
                let length =
                    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.phase = match left - length as u64 {
                    0 => Phase::Head,
                    left => Phase::Length(left),
                };
                length
            }
            Phase::Chunked(_) => self.chunks(bytes),
        }
    }

    fn head(&mut self, bytes: &[u8]) -> usize {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Partial) => 0,
            Ok(httparse::Status::Complete(length)) => {
                self.requests = self.requests.wrapping_add(1);
                self.phase = body(&request);
                length
            }
            Err(_) => {
                self.phase = Phase::Sealed;
                bytes.len()
            }
        }
    }

    fn chunks(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let (Phase::Chunked(chunk), Some(byte)) = (self.phase, bytes.get(at)) {
            if let Chunk::Data(left) = chunk
                && left > 2
            {
                // The chunk itself, up to the end of its line.
                let there = bytes.len() - at;
                let length = usize::try_from(left - 2).map_or(there, |left| left.min(there));
                at += length;
                self.phase = Phase::Chunked(Chunk::Data(left - length as u64));
                continue;
            }
            at += 1;
            self.phase = next(chunk, *byte);
        }
        if self.is_sealed() { bytes.len() } else { at }
    }
}

/// What follows a head.
fn body(request: &httparse::Request<'_, '_>) -> Phase {
    let values = |name: &str| {
        let named = request.headers.iter();
        let named = named.filter(move |header| header.name.eq_ignore_ascii_case(name));
        named
            .map(|header| header.value.trim_ascii())
            .collect::<Vec<_>>()
    };
    let tunnel = request.method == Some("CONNECT")
        || values("upgrade")
            .iter()
            .any(|value| value.eq_ignore_ascii_case(b"websocket"));
    let lengths = values("content-length");
    match (values("transfer-encoding").as_slice(), lengths.as_slice()) {
        _ if tunnel => Phase::Sealed,
        ([], []) => Phase::Head,
        ([], [length]) => match std::str::from_utf8(length).map(str::parse::<u64>) {
            Ok(Ok(0)) => Phase::Head,
            Ok(Ok(length)) => Phase::Length(length),
            _ => Phase::Sealed,
        },
        ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Phase::Chunked(SIZE),
        _ => Phase::Sealed,
    }
}

fn next(chunk: Chunk, byte: u8) -> Phase {
    let chunk = match (chunk, byte) {
        (
            Chunk::Size {
                size, digits: true, ..
            },
            b'\n',
        ) => match size {
            0 => Chunk::Trailer(0),
            size => match size.checked_add(2) {
                Some(size) => Chunk::Data(size),
                None => return Phase::Sealed,
            },
        },
        (
            Chunk::Size {
                size, rest: false, ..
            },
            digit,
        ) if digit.is_ascii_hexdigit() => {
            let value = char::from(digit).to_digit(16).map_or(0, u64::from);
            match size.checked_mul(16) {
                Some(size) => Chunk::Size {
                    size: size + value,
                    digits: true,
                    rest: false,
                },
                None => return Phase::Sealed,
            }
        }
        (
            Chunk::Size {
                size, digits: true, ..
            },
            _,
        ) => Chunk::Size {
            size,
            digits: true,
            rest: true,
        },
        (Chunk::Data(2), b'\r') => Chunk::Data(1),
        (Chunk::Data(1), b'\n') => SIZE,
        (Chunk::Size { .. } | Chunk::Data(_), _) => return Phase::Sealed,
        (Chunk::Trailer(0), b'\n') => return Phase::Head,
        (Chunk::Trailer(_), b'\n') => Chunk::Trailer(0),
        (Chunk::Trailer(length), b'\r') => Chunk::Trailer(length),
        (Chunk::Trailer(length), _) => Chunk::Trailer(length.saturating_add(1)),
    };
    Phase::Chunked(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    fn post(head: &str, body: &str) -> Vec<u8> {
        format!("POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}").into_bytes()
    }

    /// How much goes through before the first answer, whichever pieces it comes in.
    fn cleared(bytes: &[u8]) -> usize {
        let whole = {
            let (mut frames, mut at) = (Frames::default(), 0);
            loop {
                let length = frames.clear(&bytes[at..], frames.requests() == 0);
                if length == 0 {
                    break at;
                }
                at += length;
            }
        };
        let (mut frames, mut at) = (Frames::default(), 0);
        for end in 1..=bytes.len() {
            let settled = frames.requests() == 0;
            at += frames.clear(&bytes[at..end], settled);
        }
        assert_eq!(at, whole, "in pieces");
        whole
    }

    #[test]
    fn a_request_ends_where_its_body_does() {
        for request in [
            GET.to_vec(),
            [b"\r\n", GET].concat(),
            b"GET / HTTP/1.1\nHost: x\n\n".to_vec(),
            post("Content-Length: 0", ""),
            post("Content-Length: 3", "abc"),
            post("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"),
            post(
                "transfer-encoding: Chunked",
                "0a;x=y\r\n0123456789\r\n0\r\n\r\n",
            ),
            post(
                "Transfer-Encoding: chunked",
                "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n",
            ),
        ] {
            let pipelined = [&request, GET].concat();
            let text = String::from_utf8_lossy(&request).into_owned();
            assert_eq!(cleared(&pipelined), request.len(), "{text}");
        }
    }

    #[test]
    fn nothing_goes_through_behind_what_is_not_understood() {
        for head in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Content-Length: x",
            "Content-Length: 1\r\nContent-Length: 1",
            "Transfer-Encoding: gzip, chunked",
            "Upgrade: websocket",
        ] {
            let request = post(head, "");
            assert_eq!(cleared(&[&request, GET].concat()), request.len(), "{head}");
        }
        let mut frames = Frames::default();
        assert_eq!(frames.clear(b"GET / HTTP/9\r\n\r\nGET", true), 19);
        assert_eq!(frames.clear(GET, true), 0);
    }
}
