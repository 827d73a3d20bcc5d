/** Where the Compose file puts things in Grafana's container. */
export const BOARDS_DIRECTORY = '/etc/grafana/boards';

/** https://grafana.com/docs/grafana/latest/administration/provisioning */
export const datasourceProvisioning = {
  apiVersion: 1,
  datasources: [
    {
      name: 'Prometheus',
      uid: 'prometheus',
      type: 'prometheus',
      access: 'proxy',
      url: 'http://prometheus:9090',
      isDefault: true,
      // $__rate_interval is four of these: it must be the scrape interval of the Prometheus behind it.
      jsonData: { timeInterval: '5s' },
    },
  ],
};

export const boardProvisioning = {
  apiVersion: 1,
  providers: [
    {
      name: 'fidelis',
      type: 'file',
      allowUiUpdates: false,
      options: { path: BOARDS_DIRECTORY },
    },
  ],
};
