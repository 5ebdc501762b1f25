//! Two macros that write the boilerplate of the domain's strings: newtypes over a checked string,
//! and enums that travel as open, `snake_case` strings.

/// Gives a one-field struct its parsing, text and wire traits.
///
/// The type itself supplies `fn check(&str) -> bool` and this macro the rest: `parse`, `as_str`,
/// `Display`, `FromStr`, `AsRef<str>`, Serde through the text, and an OpenAPI string schema.
macro_rules! text_newtype {
    (
        $(#[$doc:meta])*
        $name:ident {
            what: $what:literal,
            expected: $expected:literal,
            max_length: $max:expr,
            pattern: $pattern:literal,
            example: $example:literal $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest text that can be one, in characters.
            pub const MAX_LENGTH: usize = $max;

            #[doc = concat!("Parses ", $what, ": `", $expected, "`.")]
            pub fn parse(text: impl Into<String>) -> Result<Self, $crate::domain::invalid::ParseError> {
                let text = text.into();
                if Self::check(&text) {
                    Ok(Self(text))
                } else {
                    Err($crate::domain::invalid::ParseError::new($what, &text, $expected))
                }
            }

            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::invalid::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::domain::invalid::ParseError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($what, ": ", $expected)))
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .pattern(Some($pattern))
                    .examples([serde_json::json!($example)])
                    .build()
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// Declares an enum that is an open, `snake_case` string on the wire.
///
/// The OpenAPI schema is a plain string (an `enum` there would make generated clients fail on the
/// value added next year); the values of today are listed under `x-extensible-enum`.
macro_rules! open_enum {
    (
        $(#[$doc:meta])*
        $name:ident as $what:literal {
            $( $(#[$variant_doc:meta])* $variant:ident => $text:literal ),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name {
            $( $(#[$variant_doc])* $variant ),+
        }

        impl $name {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The value as it travels and is stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $text ),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::invalid::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $( $text => Ok(Self::$variant), )+
                    _ => Err($crate::domain::invalid::ParseError::new(
                        $what,
                        text,
                        &["one of", $( $text ),+].join(" "),
                    )),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::domain::invalid::ParseError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> Self {
                value.as_str()
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let values: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                let description = format!(
                    "{}, one of: {}. New values may be added.",
                    $what,
                    values.join(", ")
                );
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(description))
                    .max_length(Some(64))
                    .examples([serde_json::json!(values[0])])
                    .extensions(Some(
                        utoipa::openapi::extensions::Extensions::builder()
                            .add("x-extensible-enum", serde_json::json!(values))
                            .build(),
                    ))
                    .build()
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use {open_enum, text_newtype};
