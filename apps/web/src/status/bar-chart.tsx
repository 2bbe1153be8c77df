import { useMessages } from '../language/language.js';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value for people. */
  readonly shown: string;
}

const width = 600;
const height = 120;

/** Bars from left to right, and the same as a table. */
export function BarChart({
  title,
  bars,
  valueTitle,
}: {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly valueTitle: string;
}) {
  const messages = useMessages();
  const most = Math.max(...bars.map(({ value }) => value), 1e-9);
  const step = width / Math.max(bars.length, 12);
  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title} preserveAspectRatio="none">
        <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} className="axis" />
        {bars.map(({ label, value, shown }, index) => {
          const tall = Math.max(1, (value / most) * (height - 4));
          return (
            <rect key={label} x={index * step + 1} y={height - tall} width={Math.max(1, step - 2)} height={tall}>
              <title>{`${label}: ${shown}`}</title>
            </rect>
          );
        })}
      </svg>
      <p className="small chart-scale">
        <span>{bars[0]?.label}</span>
        <span>↑ {bars.find(({ value }) => value === most)?.shown}</span>
        <span>{bars.at(-1)?.label}</span>
      </p>
      <details>
        <summary>{messages.asTable}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{messages.when}</th>
              <th scope="col">{valueTitle}</th>
            </tr>
          </thead>
          <tbody>
            {bars.map(({ label, shown }) => (
              <tr key={label}>
                <td>{label}</td>
                <td>{shown}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
