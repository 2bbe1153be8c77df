/** US dollars with as many digits as say something: `$0.0021`, `$1.20`; less than a millionth is `$0`. */
export function dollars(amount: number): string {
  if (amount < 1e-6) return '$0';
  return `$${amount >= 1 ? amount.toFixed(2) : Number(amount.toPrecision(2)).toFixed(Math.max(2, 1 - Math.floor(Math.log10(amount))))}`;
}
