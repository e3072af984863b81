//! What invented records are made of. All text is JSON-escaped already.

/// The categories of pins; also directory names.
pub(super) const CATEGORIES: &[&str] = &[
    "art",
    "beauty",
    "christmas",
    "diy-and-crafts",
    "education",
    "event-planning",
    "finance",
    "home-decor",
    "mens-fashion",
    "quotes",
    "tattoos",
    "travel",
    "vehicles",
];

/// Countries as the Faker library spells them; also directory names.
#[rustfmt::skip]
pub(super) const COUNTRIES: &[&str] = &[
    "Albania", "Algeria", "American Samoa", "Andorra", "Angola", "Antarctica (the territory South of 60 deg S)",
    "Antigua and Barbuda", "Argentina", "Armenia", "Aruba", "Australia", "Austria", "Azerbaijan", "Bahamas",
    "Bangladesh", "Barbados", "Belgium", "Bolivia", "Bosnia and Herzegovina", "Botswana",
    "Bouvet Island (Bouvetoya)", "Brazil", "British Indian Ocean Territory (Chagos Archipelago)", "Bulgaria",
    "Cambodia", "Canada", "Chile", "Cocos (Keeling) Islands", "Colombia", "Cote d'Ivoire", "Croatia", "Denmark",
    "Ecuador", "Egypt", "Estonia", "Falkland Islands (Malvinas)", "Fiji", "Finland", "France", "Gambia", "Germany",
    "Ghana", "Greece", "Guinea-Bissau", "Holy See (Vatican City State)", "Iceland", "India", "Ireland", "Jamaica",
    "Japan", "Kenya", "Korea", "Lao People's Democratic Republic", "Latvia", "Madagascar", "Mexico", "Mongolia",
    "Morocco", "Nepal", "Netherlands", "New Zealand", "Norway", "Peru", "Portugal", "Slovakia (Slovak Republic)",
    "South Georgia and the South Sandwich Islands", "Spain", "Svalbard & Jan Mayen Islands", "Sweden",
    "Switzerland", "Tanzania", "Thailand", "Timor-Leste", "Tunisia", "Uganda", "United Kingdom",
    "United States of America", "Uruguay", "Vietnam", "Zimbabwe",
];

/// First names of users.
#[rustfmt::skip]
pub(super) const FIRST_NAMES: &[&str] = &[
    "Aaron", "Abena", "Adele", "Agnes", "Ahmed", "Aiko", "Alan", "Alba", "Amara", "Andre", "Anouk", "Arthur",
    "Beatriz", "Bilal", "Bruno", "Carla", "Cedric", "Chloe", "Clara", "Dario", "Dana", "Diego", "Edith", "Elif",
    "Emeka", "Emil", "Esther", "Farah", "Felix", "Fiona", "Gita", "Goran", "Greta", "Hana", "Hugo", "Ida", "Imran",
    "Ines", "Ivan", "Jonas", "Joyce", "Juno", "Kai", "Kofi", "Lars", "Leila", "Lucia", "Magnus", "Maya", "Milan",
    "Mira", "Nadia", "Nils", "Noor", "Olga", "Omar", "Paula", "Petra", "Quinn", "Rosa", "Samir", "Sven", "Tara",
    "Zofia",
];

/// Last names of users; some have an apostrophe or a letter outside ASCII.
#[rustfmt::skip]
pub(super) const LAST_NAMES: &[&str] = &[
    "Abara", "Adler", "Almeida", "Andersen", "Baker", "Banerjee", "Barros", "Becker", "Bianchi", "Brandt", "Castro",
    "Cohen", "Correia", "Dahl", "D'Angelo", "Diallo", "Duarte", "Eriksson", "Farkas", "Fischer", "Fofana", "Garcia",
    "Gomez", "Haddad", "Hansen", "Hughes", "Ibrahim", "Ito", "Jansen", "Kaplan", "Kowalski", "Kumar", "Laurent",
    "Lindqvist", "Lopez", "Mensah", "Moreau", "Müller", "Nakamura", "Novak", "O'Brien", "Okafor", "Olsen", "Pereira",
    "Petrov", "Quist", "Rahman", "Rossi", "Sato", "Schmidt", "Silva", "Smit", "Suzuki", "Tanaka", "Torres", "Ueda",
    "Vargas", "Visser", "Walker", "Weber", "Yilmaz", "Young", "Zapata", "Zhang",
];

/// The words of titles, descriptions and tags.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "a", "about", "acrylic", "after", "all", "and", "anyone", "apricot", "are", "around", "at", "autumn", "balcony",
    "bamboo", "basket", "beach", "beginner", "best", "bicycle", "blanket", "blue", "board", "bold", "bottle", "bowl",
    "bracelet", "braided", "branch", "bright", "brush", "budget", "button", "cabin", "cake", "camera", "candle",
    "canvas", "card", "cardboard", "carpet", "castle", "ceramic", "chair", "cheap", "children", "cinnamon", "city",
    "clay", "clever", "coast", "coat", "coffee", "color", "copper", "corner", "cosy", "cotton", "craft", "crochet",
    "curtain", "day", "delicate", "desk", "detail", "dinner", "door", "drawing", "dress", "driftwood", "early", "easy",
    "elegant", "evening", "every", "fabric", "family", "felt", "fern", "festive", "find", "floral", "for", "forest",
    "frame", "free", "from", "garden", "garland", "gentle", "gift", "glass", "gold", "green", "guest", "guide",
    "hallway", "hammock", "handmade", "harbour", "have", "home", "honey", "how", "idea", "ideas", "in", "ink",
    "inspiration", "is", "island", "it", "jacket", "jar", "journal", "journey", "kitchen", "knitted", "lace", "ladder",
    "lake", "lantern", "large", "lavender", "leather", "lemon", "lesson", "letter", "light", "linen", "list", "little",
    "living", "long", "look", "love", "low", "make", "map", "marble", "market", "meadow", "minimal", "mirror", "modern",
    "monthly", "morning", "mosaic", "motor", "mountain", "narrow", "needle", "new", "night", "notebook", "of", "office",
    "old", "olive", "on", "one", "orange", "outdoor", "own", "paint", "paper", "party", "pastel", "path", "pattern",
    "pearl", "pencil", "picnic", "pine", "pink", "plan", "plant", "porch", "poster", "pretty", "printable", "project",
    "quiet", "quick", "quilt", "rainy", "recipe", "recycled", "ribbon", "river", "road", "room", "rustic", "sail",
    "savings", "scarf", "sea", "shelf", "silver", "simple", "sketch", "small", "snow", "soft", "spring", "stairs",
    "stitch", "stone", "story", "street", "studio", "style", "summer", "table", "teacher", "template", "that", "the",
    "these", "things", "this", "tiny", "to", "tools", "tower", "toy", "trail", "train", "travel", "tree", "trip",
    "tutorial", "under", "unusual", "upcycled", "use", "vase", "velvet", "village", "vintage", "wall", "warm", "watch",
    "watercolor", "wedding", "week", "weekend", "what", "white", "willow", "window", "winter", "with", "wooden", "wool",
    "woven", "wreath", "yard", "yarn", "year", "yellow", "you", "your",
];

/// Phrases in other scripts and of other characters than words. Characters
/// outside the BMP are surrogate escapes, as the sink writes them.
pub(super) const FLOURISHES: &[&str] = &[
    r"\uD83D\uDC4D",
    r"\uD83D\uDE0D\uD83D\uDE0D",
    r"\uD83C\uDF84",
    // A family and a technologist: emoji joined by U+200D, written as itself.
    "\\uD83D\\uDC69\u{200d}\\uD83D\\uDC69\u{200d}\\uD83D\\uDC67",
    "\\uD83D\\uDC69\\uD83C\\uDFFD\u{200d}\\uD83D\\uDCBB",
    r"\uD83C\uDDF5\uD83C\uDDF9",
    "❤️",
    "✨ ☀️",
    "أفكار للمنزل الصغير",
    "רעיונות לגינה",
    "小さな庭のアイデア",
    "手工纸花教程",
    "여름 여행 지도",
    "идеи для балкона",
    "crème brûlée – façon maison",
    "½ cup · 20 °C",
];
