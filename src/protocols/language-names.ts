/** The languages that Whisper knows, by code (ISO 639-1 where it has one), with Whisper's names for them. */
const NAMES: ReadonlyMap<string, string> = new Map(
  `af afrikaans,am amharic,ar arabic,as assamese,az azerbaijani,ba bashkir,be belarusian,bg bulgarian,bn bengali,
bo tibetan,br breton,bs bosnian,ca catalan,cs czech,cy welsh,da danish,de german,el greek,en english,es spanish,
et estonian,eu basque,fa persian,fi finnish,fo faroese,fr french,gl galician,gu gujarati,ha hausa,haw hawaiian,
he hebrew,hi hindi,hr croatian,ht haitian creole,hu hungarian,hy armenian,id indonesian,is icelandic,it italian,
ja japanese,jv javanese,jw javanese,ka georgian,kk kazakh,km khmer,kn kannada,ko korean,la latin,lb luxembourgish,
ln lingala,lo lao,lt lithuanian,lv latvian,mg malagasy,mi maori,mk macedonian,ml malayalam,mn mongolian,mr marathi,
ms malay,mt maltese,my myanmar,nb norwegian,ne nepali,nl dutch,nn nynorsk,no norwegian,oc occitan,pa punjabi,
pl polish,ps pashto,pt portuguese,ro romanian,ru russian,sa sanskrit,sd sindhi,si sinhala,sk slovak,sl slovenian,
sn shona,so somali,sq albanian,sr serbian,su sundanese,sv swedish,sw swahili,ta tamil,te telugu,tg tajik,th thai,
tk turkmen,tl tagalog,tr turkish,tt tatar,uk ukrainian,ur urdu,uz uzbek,vi vietnamese,yi yiddish,yo yoruba,
yue cantonese,zh chinese`
    .split(/,\s*/)
    .map((entry): [string, string] => {
      const space = entry.indexOf(' ');
      return [entry.slice(0, space), entry.slice(space + 1)];
    }),
);
const KNOWN_NAMES: ReadonlySet<string> = new Set(NAMES.values());

/**
 * The English name of a language, in lower case. `language` is a code, with or without a region, or the name itself.
 * Null for an unknown language.
 */
export function languageName(language: string): string | null {
  const given = language.trim().toLowerCase();
  return NAMES.get(given.split(/[-_]/, 1)[0] ?? '') ?? (KNOWN_NAMES.has(given) ? given : null);
}
