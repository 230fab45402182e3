// A case of an alert as promtool's rule tests have it: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules
import type { Alert } from '../alerts.ts'
import type { AlertCase } from './alert-case.ts'
import { HealthySite, type Scraper, type Series } from './healthy-site.ts'

const FIRING = 'ALERTS{alertstate="firing"}'

/** All cases, each for both scrapers, to be run by `promtool test rules`. */
export function ruleTests(rulesFile: string, alerts: readonly Alert[], cases: readonly AlertCase[]): object {
  const tests = cases.flatMap((one) =>
    (['pods', 'addresses'] as const).map((scraper) => ruleTest(alerts, one, scraper)),
  )
  return { rule_files: [rulesFile], evaluation_interval: '1m', tests }
}

// What is expected is all that fires: an alert must not take others with it that say the same.
function ruleTest(alerts: readonly Alert[], one: AlertCase, scraper: Scraper): object {
  const site = new HealthySite(scraper)
  one.ill?.(site)
  const at = `${one.at}m`
  const firing = one.fires.map(({ alert: name, labels, says }) => {
    const alert = alerts.find((known) => known.alert === name)
    if (alert === undefined) throw new Error(`${one.name}: there is no alert ${name}`)
    return { name, alert, labels: { ...labels(site), ...alert.labels }, says: says(site) }
  })
  return {
    name: `${one.name} (${scraper})`,
    interval: '1m',
    input_series: site.series.map((series) => inputSeries(series, one.at)),
    promql_expr_test: [
      // Not sooner either: so the time that an alert waits is tried as well.
      ...(firing.length > 0 ? [{ expr: FIRING, eval_time: `${one.at - 1}m`, exp_samples: [] }] : []),
      {
        expr: FIRING,
        eval_time: at,
        exp_samples: firing.map(({ name, labels }) => ({
          labels: selector('ALERTS', { ...labels, alertname: name, alertstate: 'firing' }),
          value: 1,
        })),
      },
    ],
    alert_rule_test: firing.map(({ name, alert, labels, says }) => ({
      eval_time: at,
      alertname: name,
      exp_alerts: [{ exp_labels: labels, exp_annotations: { ...alert.annotations, description: says } }],
    })),
  }
}

function inputSeries({ metric, labels, values }: Series, until: number): { series: string; values: string } {
  const samples: string[] = []
  for (let minute = 0, there = false; minute <= until; minute++) {
    const value = values(minute)
    samples.push(value === undefined ? (there ? 'stale' : '_') : String(value))
    there = value !== undefined
  }
  return { series: selector(metric, labels), values: samples.join(' ') }
}

function selector(metric: string, labels: Readonly<Record<string, string>>): string {
  const matchers = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${metric}{${matchers.join(',')}}`
}
