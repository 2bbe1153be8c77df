/** What an answer says when there is nothing to answer from, in the language of the question. */
export function abstentionText(question: string): string {
  if (/\p{Script=Hangul}/u.test(question)) return '색인된 문서에서 이 질문에 대한 답을 찾을 수 없습니다.';
  if (/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(question)) {
    return '索引された文書の中に、この質問の答えは見つかりませんでした。';
  }
  return 'The indexed documents do not answer this question.';
}
