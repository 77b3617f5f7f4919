// The parts of ECharts that the charts need; loaded when the first chart is drawn.
import { init, use } from 'echarts/core'
import { BarChart, BoxplotChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, TooltipComponent } from 'echarts/components'
import { SVGRenderer } from 'echarts/renderers'

use([BarChart, BoxplotChart, LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer])

export { init }
