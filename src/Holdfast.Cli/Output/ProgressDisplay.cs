using System.Globalization;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;

namespace Holdfast.Cli.Output;

/// <summary>How progress is shown.</summary>
internal enum ProgressForm
{
    /// <summary>Not at all: standard error is a file or a pipe, or <c>--quiet</c>.</summary>
    None,

    /// <summary>Two lines on a terminal, rewritten in place.</summary>
    Terminal,

    /// <summary><c>status</c> lines of JSON.</summary>
    Json,
}

/// <summary>Shows the progress of work until disposed.</summary>
internal sealed class ProgressDisplay : IDisposable
{
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan JsonInterval = TimeSpan.FromSeconds(1);

    private readonly ProgressForm form;
    private readonly CommandOutput output;
    private readonly TextWriter error;
    private readonly Func<int> columns;
    private readonly TimeProvider clock;
    private readonly ITimer? timer;
    private readonly long started;
    private readonly Throughput throughput = new();
    private long lastTime;
    private long lastBytes;
    private int shownLines;
    private bool ended;

    internal ProgressDisplay(
        WorkProgress work, ProgressForm form, CommandOutput output, TextWriter error, Func<int> columns, TimeProvider clock)
    {
        Work = work;
        this.form = form;
        this.output = output;
        this.error = error;
        this.columns = columns;
        this.clock = clock;
        started = lastTime = clock.GetTimestamp();
        if (form == ProgressForm.None) return;
        TimeSpan interval = form == ProgressForm.Terminal ? TerminalInterval : JsonInterval;
        timer = clock.CreateTimer(_ => Tick(), null, interval, interval);
    }

    /// <summary>What is shown.</summary>
    public WorkProgress Work { get; }

    /// <summary>Time since the beginning.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(started);

    /// <summary>Takes the lines off the terminal.</summary>
    public void Dispose()
    {
        timer?.Dispose();
        output.Exclusively(() =>
        {
            if (ended) return;
            Hide();
            ended = true;
            output.EndProgress(this);
        });
    }

    /// <summary>Clears the lines; the caller holds the lock of the output.</summary>
    internal void Hide()
    {
        if (shownLines == 0) return;
        error.Write(shownLines == 2 ? "\r\e[K\e[1A\r\e[K" : "\r\e[K");
        error.Flush();
        shownLines = 0;
    }

    /// <summary>The first line: how much of how much, how fast, how long still; a narrow window gets the half of it that matters.</summary>
    internal string Describe(int width = int.MaxValue)
    {
        (long bytes, long? bytesTotal, long? filesTotal) = (Work.BytesDone, BytesTotal, FilesTotal);
        double? share = bytesTotal is > 0 ? Math.Min(1, (double)bytes / bytesTotal.Value) : null;
        string start = string.Create(CultureInfo.InvariantCulture, $"[{TimeText.Show(Elapsed)}]{share: 0.0%}");
        string files = string.Create(CultureInfo.InvariantCulture, $"{Work.ItemsDone:N0}{filesTotal: 'of' #,0} files");
        string size = SizeText.Show(bytes) + (bytesTotal is { } total ? " of " + SizeText.Show(total) : "");
        string rate = SizeText.Show((long)throughput.BytesPerSecond) + "/s";
        string left = TimeLeft is { } time ? TimeText.Show(time) + " left" : "";
        string errors = Work.Errors switch
        {
            0 => "",
            1 => "1 error",
            var many => string.Create(CultureInfo.InvariantCulture, $"{many:N0} errors"),
        };

        string[][] fewerAndFewer = [[start, files, size, rate, left, errors], [start, size, rate, left, errors], [start, left, errors]];
        string line = "";
        foreach (string[] parts in fewerAndFewer)
        {
            line = string.Join("  ", parts.Where(static part => part.Length > 0));
            if (line.Length <= width) break;
        }

        return line;
    }

    /// <summary>Null while the total or the rate is unknown.</summary>
    internal TimeSpan? TimeLeft
    {
        get
        {
            if (BytesTotal is not { } total || throughput.BytesPerSecond < 1) return null;
            double seconds = Math.Max(0, total - Work.BytesDone) / throughput.BytesPerSecond;
            return seconds < TimeSpan.FromDays(1000).TotalSeconds ? TimeSpan.FromSeconds(Math.Round(seconds)) : null;
        }
    }

    // Nothing expected means: not known yet.
    private long? FilesTotal => Work.ItemsExpected is > 0 and var items ? items : null;

    private long? BytesTotal => Work.BytesExpected is > 0 and var bytes ? bytes : null;

    private string Current => SurrogateEscape.Decode(Work.Current.Span);

    private void Tick()
    {
        try
        {
            output.Exclusively(() =>
            {
                if (ended) return;
                Measure();
                if (form == ProgressForm.Terminal) Redraw();
            });
            if (form == ProgressForm.Json && !ended) WriteStatus();
        }
        catch (IOException)
        {
            // Nobody looks any more. The next result that is written reports it on the thread that can end the run.
            timer?.Dispose();
        }
    }

    private void Measure()
    {
        long now = clock.GetTimestamp();
        long bytes = Work.BytesDone;
        throughput.Add(bytes - lastBytes, clock.GetElapsedTime(lastTime, now));
        (lastTime, lastBytes) = (now, bytes);
    }

    private void Redraw()
    {
        // One write, so that nothing flickers between the old lines and the new.
        if (shownLines == 2) error.Write("\e[1A\r");
        else if (shownLines == 1) error.Write("\r");
        Draw();
    }

    private void Draw()
    {
        // The last column stays free: some terminals wrap when it is written.
        int width = Math.Max(1, columns() - 1);
        error.Write(TerminalText.Shorten(Describe(width), width));
        error.Write("\e[K\n");
        error.Write(TerminalText.Shorten(TerminalText.Escape(Current), width));
        error.Write("\e[K");
        error.Flush();
        shownLines = 2;
    }

    private void WriteStatus() => output.Record("status", this, static (writer, display) =>
    {
        WorkProgress work = display.Work;
        writer.WriteNumber("seconds", Math.Round(display.Elapsed.TotalSeconds, 3));
        writer.WriteNumber("filesDone", work.ItemsDone);
        if (display.FilesTotal is { } files) writer.WriteNumber("filesTotal", files);
        writer.WriteNumber("bytesDone", work.BytesDone);
        if (display.BytesTotal is { } bytes) writer.WriteNumber("bytesTotal", bytes);
        writer.WriteNumber("bytesPerSecond", (long)display.throughput.BytesPerSecond);
        if (display.TimeLeft is { } left) writer.WriteNumber("secondsLeft", (long)left.TotalSeconds);
        writer.WriteNumber("errors", work.Errors);
        if (display.Current is { Length: > 0 } current) JsonNames.WriteName(writer, "current", "currentBase64", current);
    });
}
