using System.Globalization;
using System.Runtime.InteropServices;
using Holdfast.Cli.Terminals;

namespace Holdfast.Cli;

/// <summary>SIGINT, SIGTERM and SIGHUP: the first asks the work to stop cleanly, the second ends the process at once.</summary>
internal sealed class Signals : IDisposable
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Terminate = 15;
    private readonly CancellationTokenSource source = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private int received;

    /// <summary>Begins to listen. A signal that is ignored already (<c>nohup</c>) stays ignored.</summary>
    public static Signals Listen()
    {
        var signals = new Signals();
        ulong ignored = IgnoredAtStart();
        foreach (int number in (ReadOnlySpan<int>)[Interrupt, Terminate, Hangup])
        {
            if ((ignored & (1UL << (number - 1))) != 0) continue;
            signals.registrations.Add(PosixSignalRegistration.Create((PosixSignal)number, context =>
            {
                context.Cancel = true;
                signals.Raise(number);
            }));
        }

        return signals;
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>The first signal that came; 0 when none has.</summary>
    public int Received => Volatile.Read(ref received);

    /// <summary>Acts as if the signal had come.</summary>
    internal void Raise(int number)
    {
        if (Interlocked.CompareExchange(ref received, number, 0) != 0) LibC.ExitNow(ExitCodes.OfSignal(number));
        source.Cancel();
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        source.Dispose();
    }

    private static ulong IgnoredAtStart()
    {
        const string field = "SigIgn:";
        try
        {
            foreach (string line in File.ReadLines("/proc/self/status"))
            {
                if (!line.StartsWith(field, StringComparison.Ordinal)) continue;
                ReadOnlySpan<char> mask = line.AsSpan(field.Length).Trim();
                return ulong.TryParse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0;
            }
        }
        catch (IOException)
        {
            // Without /proc nothing is known to be ignored, and listening is the safe answer.
        }

        return 0;
    }
}
