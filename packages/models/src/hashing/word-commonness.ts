import { createAnalyser } from '@aquifer/text-analysis';

/** English words that stand in texts about anything, beyond the stop words of the analyser. */
const everywhere =
  'about above across after again against all almost alone along already also although always among another any ' +
  'anyone anything around away back because become before behind being below best better between both bring ' +
  'call came come each either else end enough even ever every everyone everything example far few find first ' +
  'former found full further gave general get give given go going gone good got great having here high himself ' +
  'however include including itself just keep kind know known large last later least less let like likely ' +
  'little long look made main make making man many may mean might more most much must myself near need never ' +
  'new next nothing now number off often old once one only open other others out over own part people perhaps ' +
  'place please point possible present put quite rather really right said same saw say second see seem seen set ' +
  'several shall should show shown side since small someone something state still take taken tell term thing ' +
  'think though three through thus time together too took toward try two type under until up upon us use used ' +
  'using usual various very want way well went whether whole whose within without work world year yes yet';

/** English words of general use: they say something, but less than a name or a term of a field does. */
const general =
  'able accept according account act action active actual add addition address affect age ago agree aim allow ' +
  'amount analysis answer appear apply approach area argue arrive article ask aspect associate assume attempt ' +
  'author available average avoid base basic basis begin begun behaviour believe belong benefit big body book ' +
  'build business carry case cause center centre certain chance change character choose city claim class clear ' +
  'close collect combine common compare complete concern condition consider contain content continue contrast ' +
  'control correct cost country couple course cover create current date day deal decide decrease define degree ' +
  'demand depend describe design detail determine develop development differ difference different difficult ' +
  'direct discuss discussion distinct divide draw due early easy effect effective element employ entire equal ' +
  'especially establish estimate event exact examine exist expect experience experiment explain express extend ' +
  'extent face fact factor fall family feature feel field figure final follow force form formal free frequent ' +
  'function future gain group grow half hand happen hard head hear help higher hold home hope hour house human ' +
  'idea identify illustrate image important improve increase indicate individual influence inform information ' +
  'initial instance instead interest introduce investigate involve issue item join land language lead learn ' +
  'leave left length letter level life light limit line list live local low major manner mark material matter ' +
  'maximum measure member mention method middle mind minute model modern moment month move name national ' +
  'natural nature necessary night normal note object observe obtain occur offer office operate operation ' +
  'opposite order organization original paper paragraph particular party pass past pattern pay percent perform ' +
  'period person personal physical picture piece plan play popular position power practice prepare press ' +
  'previous price primary principle prior private probable problem procedure process produce product program ' +
  'project property propose provide public publish purpose quality question range rate reach read ready real ' +
  'reason receive recent record reduce refer region regard relate relation relative remain remove repeat ' +
  'replace report represent request require research respect respond result return rise role room rule run ' +
  'sample scale school science section seek select send sense separate series serve service shape share short ' +
  'significant similar simple single situation size social solution solve sort sound source space special ' +
  'specific stand standard start statement step stop story street strong structure student study subject ' +
  'success suggest suitable sum supply support suppose sure surface system table talk technique test text ' +
  'theory title today top total town tradition treat true turn understand unit university value variable vary ' +
  'version view visit voice volume wait walk wall war watch water week weight white wide wish woman word write ' +
  'wrong young';

const everywhereWeight = 0.3;
const generalWeight = 0.6;
/** By how many of a bigram's characters are hiragana: in Japanese they carry grammar, kanji and katakana the content. */
const hiraganaWeights = [1, 0.6, 0.3] as const;

/**
 * How much a term of the analyser says, from 0 to 1, as far as that can be known without seeing any other text: the part that inverse
 * document frequency plays where there is a corpus.
 */
export function createTermWeight(): (term: string) => number {
  const analyser = createAnalyser();
  const weights = new Map<string, number>();
  for (const term of analyser.terms(general)) weights.set(term, generalWeight);
  for (const term of analyser.terms(everywhere)) weights.set(term, everywhereWeight);
  return (term) => weights.get(term) ?? hiraganaWeights[hiraganaCount(term)]!;
}

function hiraganaCount(term: string): 0 | 1 | 2 {
  if (term.length > 2) return 0;
  return ((isHiragana(term, 0) ? 1 : 0) + (isHiragana(term, 1) ? 1 : 0)) as 0 | 1 | 2;
}

function isHiragana(term: string, index: number): boolean {
  const unit = term.charCodeAt(index);
  return unit >= 0x3041 && unit <= 0x309f;
}
