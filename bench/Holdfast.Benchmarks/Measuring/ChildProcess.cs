using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Holdfast.Benchmarks.Measuring;

/// Runs commands one at a time and tells what each cost, by the kernel's own count (wait4).
internal sealed class ChildProcess(string logPath)
{
    private static readonly string[] VariablesOfTools = ["HOLDFAST_", "RESTIC_", "BORG_", "XDG_"];
    private volatile bool isStopped;

    /// For a signal: the command that runs may end, no other is begun, but for what cleans up.
    public void StopOn(PosixSignalContext signal)
    {
        signal.Cancel = true;
        isStopped = true;
    }

    /// Runs a command to its end; throws with the end of what it said unless it succeeds.
    public unsafe Measurement Run(Command command)
    {
        if (isStopped && !command.CleansUp) throw new BenchmarkException("stopped");
        byte** words = Strings(command.Words);
        byte** variables = Strings([.. Variables(command).Select(variable => $"{variable.Key}={variable.Value}")]);
        byte* actions = stackalloc byte[LibC.FileActionsBytes];
        Require(LibC.InitFileActions(actions));
        try
        {
            Require(LibC.AddOpen(actions, 0, "/dev/null", LibC.OpenReadOnly, 0));
            Require(LibC.AddOpen(actions, 1, logPath, LibC.OpenWriteCreateTruncate, 0x1A4));
            Require(LibC.AddDuplicate(actions, 1, 2));
            Require(LibC.AddChangeDirectory(actions, command.Directory));
            long inherited = ForgetOwnPeak();
            long started = Stopwatch.GetTimestamp();
            Require(LibC.Spawn(out int process, words[0], actions, null, words, variables), command.Words[0]);
            if (LibC.Wait(process, out int status, 0, out LibC.ResourceUsage usage) != process)
            {
                throw new BenchmarkException($"{command.Words[0]}: no exit code: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            TimeSpan wall = Stopwatch.GetElapsedTime(started);
            if (status != 0) throw new BenchmarkException(Complaint(command, status));
            long peak = usage.PeakKibibytes << 10;
            return new Measurement(wall.TotalSeconds, usage.CpuSeconds, peak > inherited ? peak : null);
        }
        finally
        {
            _ = LibC.DestroyFileActions(actions);
            Free(words);
            Free(variables);
        }
    }

    /// The last line that the command before printed.
    public string LastLine() => File.ReadLines(logPath).LastOrDefault("");

    /// The first line that a command prints.
    public string FirstLine(Command command)
    {
        Run(command);
        return File.ReadLines(logPath).FirstOrDefault("");
    }

    /// A new process counts as its peak what the one that started it had at most (exec_mmap in the kernel): so that a
    /// measured one does not show ours, ours is set back to what is resident now, which is returned.
    private static long ForgetOwnPeak()
    {
        GC.Collect(2, GCCollectionMode.Aggressive);
        File.WriteAllText("/proc/self/clear_refs", "5");
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("VmHWM:".Length, line.Length - "VmHWM: kB".Length), System.Globalization.CultureInfo.InvariantCulture) << 10;
    }

    private static void Require(int error, string what = "posix_spawn")
    {
        if (error != 0) throw new BenchmarkException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private string Complaint(Command command, int status)
    {
        string outcome = (status & 0x7F) == 0 ? $"exit code {status >> 8}" : $"signal {status & 0x7F}";
        return $"{command}: {outcome}\n{string.Join('\n', File.ReadLines(logPath).TakeLast(20))}";
    }

    private static Dictionary<string, string> Variables(Command command)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (!VariablesOfTools.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))) variables[name] = (string)variable.Value!;
        }

        variables["LC_ALL"] = "C.UTF-8";
        foreach ((string name, string value) in command.Variables) variables[name] = value;
        return variables;
    }

    private static unsafe byte** Strings(string[] values)
    {
        byte** result = (byte**)NativeMemory.Alloc((nuint)((values.Length + 1) * sizeof(byte*)));
        for (int i = 0; i < values.Length; i++) result[i] = (byte*)Marshal.StringToCoTaskMemUTF8(values[i]);
        result[values.Length] = null;
        return result;
    }

    private static unsafe void Free(byte** strings)
    {
        for (int i = 0; strings[i] is not null; i++) Marshal.FreeCoTaskMem((nint)strings[i]);
        NativeMemory.Free(strings);
    }
}
